// Ruby projects: Rails, Sinatra and other Rack apps, and plain programs.
import type { Detector, Found, LiveLine, Place } from '../component.js'
import { dockerfileOf, runs, shareWithGroup, type Line } from '../dockerfile-text.js'
import { findInFiles, findPort, sourceFiles, type Port } from '../find-text.js'
import { inFolder } from '../source-tree.js'
import { versionFor } from '../versions.js'

/** Where the gems are in the image: outside of the sources. */
const bundle = '/opt/bundle'

interface RubyApp {
  readonly title: string
  readonly proof: string
  readonly port: Port | undefined
  readonly dev: readonly string[]
  readonly prod: readonly string[]
  /** On this machine, for `sh`. */
  readonly here: string
  readonly env: { readonly dev: readonly string[]; readonly prod: readonly string[] }
  /** Shell command of the `prod` stage, when all is there. */
  readonly build?: string
  readonly live: readonly LiveLine[]
  readonly notes: readonly string[]
}

export const ruby: Detector = (place) => {
  const { tree, folder, bases } = place
  const path = inFolder(folder, 'Gemfile')
  const text = tree.read(path)
  if (text === undefined) return []
  const gems = [...text.matchAll(/^\s*gem\s+["']([^"']+)["']/gm)].map(([, name]) => name as string)
  const app = rails(place, gems) ?? rack(place, gems) ?? program(place)
  if (!app) return []
  const lockfile = inFolder(folder, 'Gemfile.lock')
  const locked = tree.has(lockfile)
  const version = rubyVersion(place, text)
  return [
    {
      kind: 'ruby',
      findings: [
        {
          what: version.proof === undefined ? `Ruby (${version.number}, as nothing names a version)` : `Ruby ${version.number}`,
          proof: version.proof ?? path,
        },
        { what: locked ? 'Bundler' : 'Bundler, without a lockfile', proof: locked ? lockfile : path },
        { what: app.title, proof: app.proof },
      ],
      notes: app.notes,
      dockerfile: { text: dockerfile(bases.image('ruby', version.number), app, gems, locked) },
      ignore: ['.bundle', 'vendor/bundle', 'log/*', 'tmp/*', 'storage/*', 'coverage', 'node_modules', 'config/master.key'],
      live: [
        { rule: 'rebuildOn', paths: ['Gemfile', ...(locked ? ['Gemfile.lock'] : [])] },
        { rule: 'sync', from: '.', to: '/app' },
        ...app.live,
      ],
      ...(app.port ? { port: app.port } : {}),
      process: { prepare: 'bundle install', command: ['sh', '-c', `exec ${app.here}`] },
      libraries: gems.map((name) => ({ name, proof: path })),
    } satisfies Found,
  ]
}

/** The gems of databases that Rails has migrations for. */
const databaseGems = ['pg', 'mysql2', 'trilogy', 'sqlite3']

function rails({ tree, folder }: Place, gems: readonly string[]): RubyApp | undefined {
  const proof = inFolder(folder, 'config/application.rb')
  if (!gems.includes('rails') || !tree.has(proof)) return undefined
  const port = findPort(
    tree,
    folder,
    [inFolder(folder, 'config/puma.rb')],
    [/^\s*port\s+(?:ENV\.fetch\("PORT"[),{\s]*)?(\d+)/m],
  ) ?? { number: 3000, proof }
  const migrates = gems.some((name) => databaseGems.includes(name))
  const server = ['bundle', 'exec', 'rails', 'server', '-b', '0.0.0.0', '-p', String(port.number), '-P', '/tmp/server.pid']
  const prepare = 'bundle exec rails db:prepare'
  const command = migrates ? ['sh', '-c', `${prepare} && exec ${server.join(' ')}`] : server
  const assets = gems.some((name) =>
    /^(sprockets|sprockets-rails|propshaft|importmap-rails|cssbundling-rails|jsbundling-rails)$/.test(name),
  )
  return {
    title: 'Rails',
    proof,
    port,
    dev: command,
    prod: server,
    here: `bundle exec rails server -p "$PORT" -P "$PWD/tmp/server.pid"`,
    env: {
      dev: ['RAILS_ENV=development', 'RAILS_LOG_TO_STDOUT=1'],
      prod: ['RAILS_ENV=production', 'RAILS_LOG_TO_STDOUT=1', 'RAILS_SERVE_STATIC_FILES=1'],
    },
    ...(assets ? { build: 'SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile' } : {}),
    live: [
      ...(migrates ? [{ rule: 'run', command: 'bundle exec rails db:migrate', on: ['db/migrate/**'] } as const] : []),
      // what is in app it loads again itself
      { rule: 'restart', on: ['config/**', 'lib/**'] },
    ],
    notes: [`In production it needs SECRET_KEY_BASE, or RAILS_MASTER_KEY for its credentials.`],
  }
}

function rack({ tree, folder }: Place, gems: readonly string[]): RubyApp | undefined {
  const proof = inFolder(folder, 'config.ru')
  if (!tree.has(proof)) return undefined
  const port = findPort(
    tree,
    folder,
    [inFolder(folder, 'config/puma.rb'), proof],
    [/\bport\s+(?:ENV\.fetch\("PORT"[),{\s]*)?(\d+)/m],
  ) ?? { number: 3000, proof }
  const titles: Readonly<Record<string, string>> = { sinatra: 'Sinatra', roda: 'Roda', hanami: 'Hanami', grape: 'Grape' }
  const title = Object.keys(titles).find((name) => gems.includes(name))
  const hasPuma = gems.includes('puma')
  const server = hasPuma
    ? ['bundle', 'exec', 'puma', '-b', `tcp://0.0.0.0:${port.number}`]
    : ['bundle', 'exec', 'rackup', '-o', '0.0.0.0', '-p', String(port.number)]
  return {
    title: title === undefined ? 'Rack' : (titles[title] as string),
    proof,
    port,
    dev: server,
    prod: server,
    here: hasPuma ? 'bundle exec puma -b "tcp://127.0.0.1:$PORT"' : 'bundle exec rackup -p "$PORT"',
    env: { dev: ['RACK_ENV=development', 'APP_ENV=development'], prod: ['RACK_ENV=production', 'APP_ENV=production'] },
    live: [{ rule: 'restart' }],
    notes: [],
  }
}

/** A file that is run as it is: `app.rb` of Sinatra's classic style, or a worker. */
function program({ tree, folder, ask }: Place): RubyApp | undefined {
  const choices = ['app.rb', 'main.rb', 'server.rb', 'worker.rb'].filter((name) => tree.has(inFolder(folder, name)))
  const [first] = choices
  if (first === undefined) return undefined
  const entry =
    choices.length === 1
      ? first
      : ask({
          id: inFolder(folder, 'entry'),
          message: `Which file of ${folder || 'the project'} starts the app?`,
          choices: choices.map((value) => ({ value, label: value })),
          fallback: first,
        })
  const proof = inFolder(folder, entry)
  const files = [proof, ...sourceFiles(tree, folder, ['.rb']).filter((one) => one !== proof)]
  const sinatra = findInFiles(tree, files, [/^require ["']sinatra["']/m])
  const listens = sinatra ?? findInFiles(tree, files, [/TCPServer\.new|WEBrick::HTTPServer\.new/])
  const said = findPort(tree, folder, files, [
    /^\s*set :port,\s*(\d+)/m,
    /TCPServer\.new\([^)]*?(\d{2,5})\)/,
    /Port:\s*(\d{2,5})/,
  ])
  const command = ['bundle', 'exec', 'ruby', entry, ...(sinatra ? ['-o', '0.0.0.0'] : [])]
  return {
    title: sinatra ? 'Sinatra' : `starts with ${entry}`,
    proof,
    port: listens ? (said ?? { number: sinatra ? 4567 : 8080, proof: listens.proof }) : undefined,
    dev: command,
    prod: command,
    here: `bundle exec ruby ${entry}${sinatra ? ' -p "$PORT"' : ''}`,
    env: { dev: [], prod: ['APP_ENV=production'] },
    live: [{ rule: 'restart' }],
    notes: [],
  }
}

function rubyVersion(
  { tree, folder, bases }: Place,
  gemfile: string,
): { readonly number: string; readonly proof: string | undefined } {
  const standard = bases.defaultVersion('ruby')
  const asked: readonly (readonly [name: string, text: string | undefined])[] = [
    ['.ruby-version', tree.read(inFolder(folder, '.ruby-version'))],
    ['Gemfile', /^\s*ruby\s+["']([^"']+)["']/m.exec(gemfile)?.[1]],
    ['.tool-versions', /^ruby\s+(\S+)/m.exec(tree.read(inFolder(folder, '.tool-versions')) ?? '')?.[1]],
  ]
  for (const [name, text] of asked) {
    const number = versionFor(text ?? '', standard, 2)
    if (number !== undefined) return { number, proof: inFolder(folder, name) }
  }
  return { number: standard, proof: undefined }
}

/** Packages of Debian that gems are compiled with, and those that they need when they run. */
const packages: Readonly<Record<string, { readonly build?: string; readonly run?: string }>> = {
  pg: { build: 'libpq-dev', run: 'libpq5' },
  mysql2: { build: 'default-libmysqlclient-dev', run: 'libmariadb3' },
  rails: { build: 'libyaml-dev', run: 'tzdata' },
  image_processing: { run: 'libvips42' },
  'ruby-vips': { run: 'libvips42' },
}

function dockerfile(image: string, app: RubyApp, gems: readonly string[], locked: boolean): string {
  const install = (names: readonly string[]): Line =>
    names.length === 0
      ? undefined
      : `RUN apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')} && rm -rf /var/lib/apt/lists/*`
  const of = (kind: 'build' | 'run'): readonly string[] =>
    [...new Set(gems.flatMap((name) => packages[name]?.[kind] ?? []))].sort()
  const env = ['HOME=/app', `BUNDLE_PATH=${bundle}`, ...(locked ? ['BUNDLE_FROZEN=1'] : [])]
  const end = (stage: 'dev' | 'prod'): readonly Line[] => {
    const variables = app.env[stage]
    return [variables.length > 0 ? `ENV ${variables.join(' ')}` : undefined, ...runs(app[stage], app.port?.number)]
  }
  return dockerfileOf([
    { lines: [`FROM ${image} AS base`, `ENV ${env.join(' ')}`, 'WORKDIR /app', install(of('run'))] },
    {
      why: 'The gems: a layer of its own, which is used again until the Gemfile changes.',
      lines: [
        'FROM base AS dependencies',
        install(['build-essential', 'git', 'pkg-config', ...of('build')]),
        `COPY Gemfile${locked ? ' Gemfile.lock' : ''} ./`,
      ],
    },
    {
      why: 'What devloop runs: saved files are synced into it.',
      lines: [
        'FROM dependencies AS dev',
        'RUN bundle install',
        'COPY . .',
        `RUN mkdir -p log tmp && ${shareWithGroup()}`,
        ...end('dev'),
      ],
    },
    {
      lines: [
        'FROM dependencies AS build',
        'ENV BUNDLE_WITHOUT=development:test',
        'RUN bundle install',
        'COPY . .',
        app.build === undefined
          ? undefined
          : `RUN ${app.env.prod.filter((one) => one.startsWith('RAILS_ENV')).join(' ')} ${app.build}`,
        `RUN mkdir -p log tmp && ${shareWithGroup()}`,
      ],
    },
    {
      lines: [
        'FROM base AS prod',
        'ENV BUNDLE_WITHOUT=development:test',
        `COPY --from=build ${bundle} ${bundle}`,
        'COPY --from=build /app /app',
        'RUN chmod g=u .',
        ...end('prod'),
      ],
    },
  ])
}
