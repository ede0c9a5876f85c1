// PHP projects: with Composer, and plain files.
import { expect, test } from 'vitest'
import { php } from '../../../src/scaffold/kinds/php.js'
import { commandOf, findWith, librariesOf, stageOf, type Files } from './find-with.js'

const find = (files: Files, folder?: string) => findWith(php, files, folder)[0]

test('a library is nothing that runs', () => {
  expect(find({ 'composer.json': '{}', 'src/Shop.php': '' })).toBeUndefined()
})

test('Composer installs by the lockfile, and the pages are in public', () => {
  const [found] = findWith(php, 'php-composer')
  expect(found).toMatchObject({ name: 'newsletter', port: { number: 8080, proof: 'public/index.php' } })
  expect(found?.findings[0]).toEqual({ what: 'PHP 8.3', proof: 'composer.json' })
  expect(stageOf(found, 'base')).toEqual(
    expect.arrayContaining(['RUN docker-php-ext-install pdo_mysql', 'COPY composer.json composer.lock ./']),
  )
  expect(stageOf(found, 'prod').join()).toContain('--no-dev')
  expect(found?.dockerfile.text).toContain('/app/public!')
  expect(found?.live).toEqual([
    { rule: 'rebuildOn', paths: ['composer.json', 'composer.lock'] },
    { rule: 'sync', from: '.', to: '/app' },
  ])
  expect(librariesOf(found)).toContain('ext-pdo_mysql')
  expect(findWith(php, 'php-composer', 'public')).toEqual([])
})

test('plain files are served as they are', () => {
  const [found] = findWith(php, 'php-plain')
  expect(commandOf(found)).toEqual(['apache2-foreground'])
  expect(found?.dockerfile.text).not.toContain('composer')
  expect(found?.live).toEqual([{ rule: 'sync', from: '.', to: '/app' }])
})

test('extensions of PECL, and the packages that others are made with', () => {
  const found = find({
    'index.php': '',
    'composer.json': JSON.stringify({ require: { 'ext-redis': '*', 'ext-intl': '*', 'ext-json': '*' } }),
  })
  expect(stageOf(found, 'base')).toEqual(
    expect.arrayContaining([
      expect.stringContaining('git libicu-dev unzip'),
      'RUN docker-php-ext-install intl',
      'RUN pecl install redis && docker-php-ext-enable redis',
    ]),
  )
})

test('Laravel is told by its library', () => {
  const found = find({ 'public/index.php': '', 'composer.json': JSON.stringify({ require: { 'laravel/framework': '^11' } }) })
  expect(found?.findings).toContainEqual({ what: 'Laravel', proof: 'composer.json' })
})
