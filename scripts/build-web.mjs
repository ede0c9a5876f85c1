// Builds the page into dist/web: index.html, page.js and page.css, and nothing else, so that the three can be put into one file
// (src/protocol/frozen-page.ts).
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * @param version of devloop
 * @returns the modules that are in the bundle, as paths
 */
export async function buildWeb(version) {
  const made = await build({
    configFile: false,
    envDir: false,
    root: `${root}/src/web`,
    base: './',
    publicDir: false,
    logLevel: 'warn',
    define: { __DEVLOOP_VERSION__: JSON.stringify(version) },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: `${root}/dist/web`,
      emptyOutDir: true,
      target: ['chrome111', 'firefox115', 'safari16.4'],
      modulePreload: { polyfill: false },
      cssCodeSplit: false,
      assetsInlineLimit: Number.MAX_SAFE_INTEGER,
      reportCompressedSize: false,
      rolldownOptions: {
        output: { entryFileNames: 'page.js', assetFileNames: 'page.[ext]', codeSplitting: false },
      },
    },
  })
  return [made].flat().flatMap(({ output }) => output.flatMap((one) => Object.keys(one.modules ?? {})))
}
