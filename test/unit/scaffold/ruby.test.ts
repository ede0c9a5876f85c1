// Ruby projects: Rails, Rack, programs.
import { expect, test } from 'vitest'
import { ruby } from '../../../src/scaffold/kinds/ruby.js'
import { commandOf, findWith, librariesOf, stageOf, type Files } from './find-with.js'

const find = (files: Files) => findWith(ruby, { Gemfile: "source 'https://rubygems.org'\n", ...files })[0]

test('a gem is nothing that runs', () => {
  expect(find({ 'lib/shop.rb': '' })).toBeUndefined()
  expect(findWith(ruby, { 'app.rb': '' })).toEqual([])
})

test('Rails loads what is in app again itself; the database is prepared before it', () => {
  const [found] = findWith(ruby, 'ruby-rails')
  expect(commandOf(found)).toEqual([
    'sh',
    '-c',
    'bundle exec rails db:prepare && exec bundle exec rails server -b 0.0.0.0 -p 3000 -P /tmp/server.pid',
  ])
  expect(commandOf(found, 'prod')).toContain('server')
  expect(found?.findings[0]).toEqual({ what: 'Ruby 3.3', proof: '.ruby-version' })
  expect(found?.live).toEqual([
    { rule: 'rebuildOn', paths: ['Gemfile', 'Gemfile.lock'] },
    { rule: 'sync', from: '.', to: '/app' },
    { rule: 'run', command: 'bundle exec rails db:migrate', on: ['db/migrate/**'] },
    { rule: 'restart', on: ['config/**', 'lib/**'] },
  ])
  expect(librariesOf(found)).toEqual(expect.arrayContaining(['pg', 'redis']))
  expect(stageOf(found, 'dependencies').join()).toContain('libpq-dev')
  expect(stageOf(found, 'base').join()).toContain('libpq5')
})

test('a Rack app is started again', () => {
  const [found] = findWith(ruby, 'ruby-sinatra')
  expect(found?.findings.at(-1)).toEqual({ what: 'Sinatra', proof: 'config.ru' })
  expect(commandOf(found)).toEqual(['bundle', 'exec', 'puma', '-b', 'tcp://0.0.0.0:3000'])
  expect(found?.live.at(-1)).toEqual({ rule: 'restart' })
  expect(commandOf(find({ 'config.ru': '' }))).toEqual(['bundle', 'exec', 'rackup', '-o', '0.0.0.0', '-p', '3000'])
})

test.each<[what: string, files: Files, command: readonly string[], port: number | undefined]>([
  [
    'Sinatra in one file',
    { 'app.rb': "require 'sinatra'\nset :port, 5000\n" },
    ['bundle', 'exec', 'ruby', 'app.rb', '-o', '0.0.0.0'],
    5000,
  ],
  ['a worker', { 'worker.rb': 'loop { work }' }, ['bundle', 'exec', 'ruby', 'worker.rb'], undefined],
])('%s', (_what, files, command, port) => {
  const found = find(files)
  expect(commandOf(found)).toEqual(command)
  expect(found?.port?.number).toBe(port)
})

test.each<[files: Files, version: string]>([
  [{ Gemfile: 'ruby "3.2.2"' }, '3.2'],
  [{ Gemfile: 'ruby ">= 3.1"' }, '3.4'],
  [{ '.tool-versions': 'nodejs 20\nruby 3.3.0' }, '3.3'],
  [{}, '3.4'],
])('the version that %j asks for', (files, version) => {
  expect(find({ 'config.ru': '', ...files })?.dockerfile.text).toContain(`FROM docker.io/library/ruby:${version}-slim AS base`)
})
