// `devloop/client` for browsers: small, and without anything of Node but in parts that are loaded when Node is there.
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const source = (path: string): string => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url))

async function bundle(entry: string): Promise<{ text: string; imports: { path: string; kind: string; external: boolean }[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    write: false,
    metafile: true,
    outdir: '/out',
    // what a bundler for browsers leaves alone, or cannot find
    external: ['node:*', 'ws'],
    logLevel: 'silent',
  })
  const [path, output] = Object.entries(metafile.outputs).find(([, one]) => one.entryPoint !== undefined) ?? []
  const file = outputFiles.find((one) => path !== undefined && one.path.endsWith(path.split('/').at(-1) ?? ''))
  // chunks that the entry itself needs belong to it
  const needed = (output?.imports ?? []).filter(({ kind }) => kind === 'import-statement')
  const more = needed.map((one) => outputFiles.find((each) => each.path.endsWith(one.path.split('/').at(-1) ?? ''))?.text ?? '')
  const imports = [output, ...needed.map((one) => metafile.outputs[one.path])].flatMap((one) =>
    (one?.imports ?? []).map(({ path: to, kind, external = false }) => ({ path: to, kind, external })),
  )
  return { text: [file?.text ?? '', ...more].join('\n'), imports }
}

test('a browser loads the client without anything of Node, in less than 60 kB', async () => {
  const { text, imports } = await bundle(source('client/index.ts'))
  expect(text).toContain('devloop.token.')
  expect(imports.filter(({ external }) => external)).toEqual([])
  expect(text).not.toMatch(/from\s*"node:|createRequire/)
  expect(text.length).toBeLessThan(60_000)
  expect(gzipSync(text).length).toBeLessThan(25_000)
})

test('the part for pages has nothing that would be loaded later, either', async () => {
  const { text, imports } = await bundle(source('client/devloop-client.ts'))
  expect(imports).toEqual([])
  expect(text.length).toBeLessThan(40_000)
})
