import { describe, expect, test } from 'vitest'
import { locateFile } from '../src/locate-file.js'

/** A project of these files below /home/me/shop. */
const lookup = (...files: string[]) => {
  const all = files.map((file) => `/home/me/shop/${file}`)
  return {
    folders: ['/home/me/shop/services/api', '/home/me/shop'],
    has: (path: string) => all.includes(path),
    named: async (name: string) => all.filter((path) => path.endsWith(`/${name}`)),
  }
}
const locate = async (printed: string, ...files: string[]): Promise<string | undefined> =>
  (await locateFile(printed, lookup(...files)))?.replace('/home/me/shop/', '')

describe('locateFile', () => {
  test.each([
    ['/home/me/shop/src/a.ts', 'src/a.ts'],
    ['src/a.ts', 'services/api/src/a.ts'],
    ['./lib/b.ts', 'lib/b.ts'],
    ['../web/c.ts', 'services/web/c.ts'],
    ['/app/src/d.ts', 'services/web/src/d.ts'],
    ['/app/main.go', 'services/web/main.go'],
    ['src/d.ts', 'services/web/src/d.ts'],
  ])('%s is %s', async (printed, file) => {
    const files = [
      'src/a.ts',
      'services/api/src/a.ts',
      'lib/b.ts',
      'services/web/c.ts',
      'services/web/src/d.ts',
      'services/web/main.go',
    ]
    expect(await locate(printed, ...files)).toBe(file)
  })

  test.each([
    ['two files end like it', '/app/src/a.ts', ['one/src/a.ts', 'two/src/a.ts']],
    ['it is of a package', '/app/node_modules/x/index.js', ['index.js', 'x/index.js']],
    ['it is of Node', 'node:internal/modules/cjs/loader', ['loader']],
    ['it is of the language', '/usr/lib/python3.11/json/decoder.py', ['json/decoder.py']],
    ['only the name is the same, deep in other folders', '/opt/vendor/tool/lib/main.go', ['main.go']],
    ['there is none', '/app/src/z.ts', ['src/a.ts']],
    ['it is no path of a file', '..', ['a']],
    ['it is a folder above all', '/', ['a']],
  ])('none: %s', async (_, printed, files) => {
    expect(await locate(printed, ...files)).toBeUndefined()
  })
})
