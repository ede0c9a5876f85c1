// PHP projects: what Composer describes, and plain files, behind Apache on an unprivileged port.
import type { Detector, Found } from '../component.js'
import { dockerfileOf, runs, shareWithGroup, type Line } from '../dockerfile-text.js'
import { keysAt, parseJson, textAt } from '../read-data.js'
import { folderAbove, inFolder } from '../source-tree.js'
import { versionFor } from '../versions.js'

const port = 8080

export const php: Detector = ({ tree, folder, bases }) => {
  const manifest = inFolder(folder, 'composer.json')
  const composer = parseJson(tree.read(manifest))
  const roots = ['public', 'web', 'htdocs', '']
  const root = roots.find((name) => tree.has(inFolder(inFolder(folder, name), 'index.php')))
  const above = folderAbove(folder)
  // a folder of pages belongs to the project above it
  const isPart =
    above !== undefined &&
    roots.some((name) => name !== '' && inFolder(above, name) === folder) &&
    tree.has(inFolder(above, 'composer.json'))
  if (root === undefined || isPart) return []
  const index = inFolder(inFolder(folder, root), 'index.php')
  const lockfile = inFolder(folder, 'composer.lock')
  const locked = tree.has(lockfile)
  const asked = textAt(composer, 'require', 'php')
  const version = versionFor(asked ?? '', bases.defaultVersion('php'), 2)
  const required = keysAt(composer, 'require')
  const framework = frameworks.find(({ library }) => required.includes(library))
  return [
    {
      ...(textAt(composer, 'name') === undefined ? {} : { name: (textAt(composer, 'name') as string).replace(/^[^/]*\//, '') }),
      kind: 'php',
      findings: [
        version === undefined
          ? {
              what: `PHP (${bases.defaultVersion('php')}, as nothing names a version)`,
              proof: composer === undefined ? index : manifest,
            }
          : { what: `PHP ${version}`, proof: manifest },
        ...(composer === undefined
          ? []
          : [{ what: locked ? 'Composer' : 'Composer, without a lockfile', proof: locked ? lockfile : manifest }]),
        ...(framework ? [{ what: framework.title, proof: manifest }] : []),
        { what: `pages in ${root === '' ? 'the folder itself' : root}`, proof: index },
      ],
      notes: [],
      dockerfile: {
        text: dockerfile({
          image: bases.image('php', version),
          composer:
            composer === undefined
              ? undefined
              : { image: bases.image('composer'), files: ['composer.json', ...(locked ? ['composer.lock'] : [])] },
          root,
          extensions: required.filter((name) => name.startsWith('ext-')).map((name) => name.slice('ext-'.length)),
        }),
      },
      ignore: ['vendor', ...(framework?.writes ?? [])],
      live: [
        ...(composer === undefined
          ? []
          : [{ rule: 'rebuildOn', paths: ['composer.json', ...(locked ? ['composer.lock'] : [])] } as const]),
        // each request reads the files again
        { rule: 'sync', from: '.', to: '/app' },
      ],
      port: { number: port, proof: index },
      process: {
        ...(composer === undefined ? {} : { prepare: 'composer install' }),
        command: ['sh', '-c', `exec php -S "127.0.0.1:$PORT" -t ${root === '' ? '.' : root}`],
      },
      libraries: required.map((name) => ({ name, proof: manifest })),
    } satisfies Found,
  ]
}

const frameworks: readonly { readonly library: string; readonly title: string; readonly writes?: readonly string[] }[] = [
  {
    library: 'laravel/framework',
    title: 'Laravel',
    writes: ['storage/logs/*', 'storage/framework/cache/data/*', 'bootstrap/cache/*.php'],
  },
  { library: 'symfony/framework-bundle', title: 'Symfony', writes: ['var/*'] },
  { library: 'slim/slim', title: 'Slim' },
]

/** Extensions that the image has, or that are made in it; others need a package that only their authors know. */
const made: Readonly<Record<string, readonly string[]>> = {
  pdo_mysql: [],
  mysqli: [],
  bcmath: [],
  pcntl: [],
  exif: [],
  sockets: [],
  pdo_pgsql: ['libpq-dev'],
  pgsql: ['libpq-dev'],
  intl: ['libicu-dev'],
  zip: ['libzip-dev'],
  gd: ['libpng-dev', 'libjpeg-dev'],
}
/** Extensions that PECL has. */
const fromPecl = ['redis', 'mongodb', 'apcu']

interface Site {
  readonly image: string
  readonly composer: { readonly image: string; readonly files: readonly string[] } | undefined
  readonly root: string
  readonly extensions: readonly string[]
}

function dockerfile({ image, composer, root, extensions }: Site): string {
  const compiled = extensions.filter((name) => Object.hasOwn(made, name))
  const pecl = extensions.filter((name) => fromPecl.includes(name))
  const packages = [...new Set([...compiled.flatMap((name) => made[name] ?? []), ...(composer ? ['unzip', 'git'] : [])])].sort()
  const docroot = root === '' ? '/app' : `/app/${root}`
  const install = (flags: string): string =>
    `composer install --no-interaction --no-scripts --no-autoloader --prefer-dist${flags}`
  const sources: readonly Line[] = [
    'COPY . .',
    composer ? 'RUN composer dump-autoload --no-scripts --optimize' : undefined,
    `RUN ${shareWithGroup(composer ? ['vendor'] : [])}`,
  ]
  return dockerfileOf([
    ...(composer ? [{ lines: [`FROM ${composer.image} AS composer`] }] : []),
    {
      why: 'Apache on a port that needs no rights, with its pages in the app.',
      lines: [
        `FROM ${image} AS base`,
        'ENV HOME=/app COMPOSER_ALLOW_SUPERUSER=1',
        'WORKDIR /app',
        packages.length === 0
          ? undefined
          : `RUN apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')} && rm -rf /var/lib/apt/lists/*`,
        compiled.length === 0 ? undefined : `RUN docker-php-ext-install ${compiled.join(' ')}`,
        pecl.length === 0 ? undefined : `RUN pecl install ${pecl.join(' ')} && docker-php-ext-enable ${pecl.join(' ')}`,
        `RUN sed -i 's/^Listen 80$/Listen ${port}/' /etc/apache2/ports.conf && \\`,
        `    sed -i -e 's!:80>!:${port}>!' -e 's!/var/www/html!${docroot}!' /etc/apache2/sites-available/000-default.conf && \\`,
        "    sed -i 's!<Directory /var/www/>!<Directory /app>!' /etc/apache2/apache2.conf /etc/apache2/conf-available/*.conf && a2enmod rewrite",
        composer ? 'COPY --from=composer /usr/bin/composer /usr/local/bin/composer' : undefined,
        composer ? `COPY ${composer.files.join(' ')} ./` : undefined,
      ],
    },
    {
      why: 'What devloop runs: saved files are synced into it.',
      lines: [
        'FROM base AS dev',
        composer ? `RUN umask 002 && ${install('')}` : undefined,
        ...sources,
        ...runs(['apache2-foreground'], port),
      ],
    },
    {
      lines: [
        'FROM base AS prod',
        composer ? `RUN umask 002 && ${install(' --no-dev')}` : undefined,
        ...sources,
        ...runs(['apache2-foreground'], port),
      ],
    },
  ])
}
