// What of a folder is source.
import { expect, test } from 'vitest'
import { readSourceTree } from '../../../src/scaffold/source-tree.js'
import { project } from '../../support/devloop.js'

test('dependencies, build output, secrets and ignored files are left out; all is sorted', async () => {
  const folder = await project({
    '.gitignore': '# comment\n/generated\n*.tmp\n!keep.tmp\nlogs/\n',
    '.devloopignore': 'legacy\n',
    'b.js': 'b',
    'a/c.js': 'c',
    'a/generated/x.js': '',
    'generated/x.js': '',
    'a/x.tmp': '',
    'logs/x.log': '',
    'legacy/package.json': '',
    'node_modules/x/package.json': '',
    'dist/x.js': '',
    'bin/www': '',
    'api/bin/tool.dll': '',
    '.env': 'SECRET=1',
    '.env.example': 'SECRET=',
    'server.key': '',
  })
  const tree = readSourceTree(folder)
  expect(tree.paths).toEqual(['.devloopignore', '.env.example', '.gitignore', 'a/c.js', 'a/generated/x.js', 'b.js', 'bin/www'])
  expect(tree.folders).toEqual(['', 'a', 'a/generated', 'bin'])
  expect([tree.has('b.js'), tree.has('.env'), tree.read('a/c.js'), tree.read('none')]).toEqual([true, false, 'c', undefined])
  expect(tree.files('a')).toEqual(['c.js'])
})

test('a file of more than 1 MB is there, but not read', async () => {
  const folder = await project({ 'large.json': 'x'.repeat(1_000_001) })
  const tree = readSourceTree(folder)
  expect([tree.has('large.json'), tree.read('large.json')]).toEqual([true, undefined])
})

test('a folder that is not there is an error', () => {
  expect(() => readSourceTree('/nowhere/at/all')).toThrow('cannot be read')
})
