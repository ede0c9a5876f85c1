// The Dockerfile of a Node.js or Bun package.
import type { Place } from '../component.js'
import { dockerfileOf, runs, shareWithGroup, type Line } from '../dockerfile-text.js'
import { inFolder, pathWithin } from '../source-tree.js'
import { siteLines } from './web-server.js'
import type { NodeApp } from './node.js'
import { readPackage, type Package } from './node-package.js'

/** @param version of Node.js */
export function nodeDockerfile(app: NodeApp, { tree, bases }: Place, version: string): string {
  const { own, project, prod, dev, port } = app
  const { manager, root, members } = project
  const at = (path: string): string => pathWithin(path, root)
  const home = at(own.folder) === '' ? undefined : `/app/${at(own.folder)}`
  const enter: Line = home === undefined ? undefined : `WORKDIR ${home}`
  const base = manager.name === 'bun' ? bases.image('bun') : bases.image('node', version)
  const modules = [
    'node_modules',
    ...members
      .filter((one) => one.runtimeDependencies.length + one.dependencies.size > 0)
      .map(({ folder }) => `${at(folder)}/node_modules`),
  ]
  const build = (packages: readonly Package[]): readonly Line[] =>
    packages.map(({ folder }) => `RUN ${at(folder) === '' ? '' : `cd ${at(folder)} && `}${manager.run('build')}`)
  const env = Object.entries({ ...manager.env }).map(([name, value]) => `${name}=${value}`)
  const bin = home === undefined ? '/app/node_modules/.bin' : `${home}/node_modules/.bin:/app/node_modules/.bin`
  const isSite = 'folder' in prod
  const inDevelopment = app.buildsInDevelopment ? app.builds : app.builds.filter((one) => one !== own)
  return dockerfileOf([
    {
      lines: [
        `FROM ${base} AS base`,
        'WORKDIR /app',
        `ENV HOME=/app PATH=${bin}:$PATH${env.length > 0 ? ` ${env.join(' ')}` : ''}`,
        `RUN ${manager.setup === undefined ? '' : `${manager.setup} && `}chmod g=u .`,
      ],
    },
    {
      why: 'What the lockfile names: a layer of its own, which is used again until that changes.',
      lines: [
        'FROM base AS dependencies',
        ...(copiesAllFirst(readPackage(tree, root) ?? own)
          ? ['# all of it, because the package has scripts of its own that run on install', 'COPY . .']
          : [
              `COPY ${['package.json', ...manager.files].join(' ')} ./`,
              ...manager.folders.map((folder) => `COPY ${folder} ${folder}`),
              ...members.map(({ folder }) => `COPY ${at(folder)}/package.json ${at(folder)}/`),
              ...prismaFolder(app, tree).map((folder) => `COPY ${folder} ${folder}`),
            ]),
        `RUN ${manager.install} && ${shareWithGroup()}`,
      ],
    },
    {
      why: 'What devloop runs: saved files are synced into it.',
      lines: [
        'FROM dependencies AS dev',
        `ENV NODE_ENV=development${pairs(dev.env)}`,
        'COPY . .',
        ...prismaGenerate(app, tree),
        ...build(inDevelopment),
        `RUN ${shareWithGroup(modules)}`,
        enter,
        ...runs(dev.argv, port?.number),
      ],
    },
    {
      lines: [
        'FROM dependencies AS build',
        'COPY . .',
        ...prismaGenerate(app, tree),
        ...build(app.builds),
        ...(isSite ? [enter, prod.folder.endsWith('/*') ? takeSite(prod.folder.slice(0, -2)) : undefined] : []),
        ...(isSite
          ? []
          : standalone(prod.argv, own.folder === root)
            ? nextStandalone
            : [`RUN ${prunes(app, tree) ? `${manager.prune} && ` : ''}${shareWithGroup()}`]),
      ],
    },
    isSite
      ? {
          why: 'The built files behind a web server.',
          lines: siteLines({
            image: bases.image('nginx'),
            from: 'build',
            folder: prod.folder.endsWith('/*') ? '/site' : `${home ?? '/app'}/${prod.folder}`,
            fallback: prod.fallback,
          }),
        }
      : {
          lines: [
            'FROM base AS prod',
            `ENV NODE_ENV=production${pairs(prod.env ?? {})}`,
            'COPY --from=build /app /app',
            enter,
            ...runs(standalone(prod.argv, own.folder === root) ? ['node', 'server.js'] : prod.argv, port?.number),
          ],
        },
  ])
}

/** Builds that choose the folder's name themselves. */
const takeSite = (folder: string): Line =>
  `RUN mkdir /site && cp -r "$(dirname "$(find ${folder} -name index.html | head -n 1)")/." /site`

const pairs = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => ` ${name}=${/[\s"'$\\]/.test(value) ? JSON.stringify(value) : value}`)
    .join('')

const standalone = (argv: readonly string[], atRoot: boolean): boolean => atRoot && argv[1] === '.next/standalone/server.js'

/** What `next build` left of use is moved to where the app was. */
const nextStandalone: readonly Line[] = [
  `RUN mkdir -p public && mv .next/standalone /standalone && mv .next/static /standalone/.next/static && cp -r public /standalone/public && \\
    rm -rf /app && mv /standalone /app && cd /app && ${shareWithGroup()}`,
]

/** Scripts of the package itself that run on install and may need any file. */
const copiesAllFirst = ({ scripts }: Package): boolean =>
  ['preinstall', 'install', 'postinstall', 'prepare'].some((name) => {
    const script = scripts[name]
    return (
      script !== undefined &&
      !/^(husky( install)?|prisma generate|npx prisma generate|is-ci \|\| husky( install)?)$/.test(script.trim())
    )
  })

const usesPrisma = ({ own }: NodeApp): boolean => own.dependencies.has('prisma') || own.dependencies.has('@prisma/client')

/** Prisma makes its client from the schema, on install. */
const prismaFolder = (app: NodeApp, tree: Place['tree']): readonly string[] => {
  const folder = inFolder(app.own.folder, 'prisma')
  return usesPrisma(app) && tree.folders.includes(folder) ? [pathWithin(folder, app.project.root)] : []
}

/** Managers other than npm would take the client that Prisma made away with the rest. */
const prunes = (app: NodeApp, tree: Place['tree']): boolean =>
  app.project.manager.name === 'npm' || prismaFolder(app, tree).length === 0

const prismaGenerate = (app: NodeApp, tree: Place['tree']): readonly Line[] => {
  if (
    prismaFolder(app, tree).length === 0 ||
    Object.values(app.own.scripts).some((script) => /^(npx )?prisma generate$/.test(script))
  )
    return []
  const folder = pathWithin(app.own.folder, app.project.root)
  return [folder === '' ? 'RUN npx prisma generate' : `RUN cd ${folder} && npx prisma generate`]
}
