// The frameworks of Node.js projects that are started in a way of their own, by the package that proves each.
import type { SourceTree } from '../source-tree.js'
import { inFolder } from '../source-tree.js'
import type { Package } from './node-package.js'

export interface Framework {
  /** The package that proves it. */
  readonly package: string
  /** How it is told. */
  readonly title: string
  /** The program that the script `dev` (or `start`) begins with, and how it is told to listen on all addresses. */
  readonly dev: {
    readonly argv: readonly string[]
    readonly host: readonly string[]
    readonly env?: Readonly<Record<string, string>>
  }
  readonly port: number
  /** How the built app is served: a command, or the folder of files. Undefined: as the script `start` says. */
  readonly prod: (place: { readonly tree: SourceTree; readonly own: Package }) => Served | undefined
  /** What it writes beside the sources. */
  readonly writes: readonly string[]
}

export type Served =
  | { readonly argv: readonly string[]; readonly env?: Readonly<Record<string, string>> }
  /** `folder`: relative to the package; with `/*` behind it, the one below that has an index.html. */
  | { readonly folder: string; readonly fallback: boolean }

const spa = (folder: string): Served => ({ folder, fallback: true })
const hostFlag = ['--host', '0.0.0.0']

/** In the order in which they are looked for: those that bring another along come before it. */
export const frameworks: readonly Framework[] = [
  {
    package: 'next',
    title: 'Next.js',
    dev: { argv: ['next', 'dev'], host: ['--hostname', '0.0.0.0'], env: { NEXT_TELEMETRY_DISABLED: '1' } },
    port: 3000,
    prod: ({ tree, own }) =>
      isStandalone(tree, own)
        ? { argv: ['node', '.next/standalone/server.js'], env: { HOSTNAME: '0.0.0.0' } }
        : { argv: ['next', 'start', '--hostname', '0.0.0.0'] },
    writes: ['.next', 'next-env.d.ts'],
  },
  {
    package: 'nuxt',
    title: 'Nuxt',
    dev: { argv: ['nuxt', 'dev'], host: hostFlag, env: { NUXT_TELEMETRY_DISABLED: '1' } },
    port: 3000,
    prod: () => ({ argv: ['node', '.output/server/index.mjs'] }),
    writes: ['.nuxt', '.output'],
  },
  {
    package: '@sveltejs/kit',
    title: 'SvelteKit',
    dev: { argv: ['vite', 'dev'], host: hostFlag },
    port: 5173,
    prod: ({ own }) =>
      own.dependencies.has('@sveltejs/adapter-node')
        ? { argv: ['node', 'build'] }
        : own.dependencies.has('@sveltejs/adapter-static')
          ? spa('build')
          : { argv: ['vite', 'preview', '--host', '0.0.0.0', '--port', '5173'] },
    writes: ['.svelte-kit', 'build'],
  },
  {
    package: '@react-router/dev',
    title: 'React Router',
    dev: { argv: ['react-router', 'dev'], host: hostFlag },
    port: 5173,
    prod: () => undefined,
    writes: ['build', '.react-router'],
  },
  {
    package: '@remix-run/dev',
    title: 'Remix',
    dev: { argv: ['remix', 'vite:dev'], host: hostFlag },
    port: 5173,
    prod: () => undefined,
    writes: ['build', 'public/build'],
  },
  {
    package: 'astro',
    title: 'Astro',
    dev: { argv: ['astro', 'dev'], host: hostFlag, env: { ASTRO_TELEMETRY_DISABLED: '1' } },
    port: 4321,
    prod: ({ own }) =>
      own.dependencies.has('@astrojs/node')
        ? { argv: ['node', 'dist/server/entry.mjs'], env: { HOST: '0.0.0.0' } }
        : { folder: 'dist', fallback: false },
    writes: ['.astro', 'dist'],
  },
  {
    package: '@angular/core',
    title: 'Angular',
    dev: { argv: ['ng', 'serve'], host: hostFlag, env: { NG_CLI_ANALYTICS: 'false' } },
    port: 4200,
    prod: () => spa('dist/*'),
    writes: ['dist', '.angular'],
  },
  {
    package: 'react-scripts',
    title: 'Create React App',
    // with CI it does not end when its standard input does
    dev: { argv: ['react-scripts', 'start'], host: [], env: { HOST: '0.0.0.0', BROWSER: 'none', CI: 'true' } },
    port: 3000,
    prod: () => spa('build'),
    writes: ['build'],
  },
  {
    package: '@vue/cli-service',
    title: 'Vue CLI',
    dev: { argv: ['vue-cli-service', 'serve'], host: hostFlag },
    port: 8080,
    prod: () => spa('dist'),
    writes: ['dist'],
  },
  {
    package: '@nestjs/core',
    title: 'NestJS',
    dev: { argv: ['nest', 'start', '--watch'], host: [] },
    port: 3000,
    prod: ({ own }) => (own.scripts['start:prod'] === undefined ? { argv: ['node', 'dist/main'] } : undefined),
    writes: ['dist'],
  },
  {
    package: 'vite',
    title: 'Vite',
    dev: { argv: ['vite'], host: hostFlag },
    port: 5173,
    prod: () => spa('dist'),
    writes: ['dist'],
  },
]

/** Libraries for servers; where one is used, there is something to run, and a port. */
export const serverLibraries: Readonly<Record<string, string>> = {
  express: 'Express',
  fastify: 'Fastify',
  koa: 'Koa',
  hono: 'Hono',
  '@hapi/hapi': 'hapi',
  restify: 'Restify',
  polka: 'Polka',
  h3: 'h3',
  '@apollo/server': 'Apollo Server',
  'graphql-yoga': 'GraphQL Yoga',
  'socket.io': 'Socket.IO',
  ws: 'ws',
  elysia: 'Elysia',
}

/** Whether Next.js is told to write a server with all that it needs. */
const isStandalone = (tree: SourceTree, own: Package): boolean =>
  ['next.config.js', 'next.config.mjs', 'next.config.ts', 'next.config.cjs'].some((name) =>
    /output\s*:\s*['"]standalone['"]/.test(tree.read(inFolder(own.folder, name)) ?? ''),
  )
