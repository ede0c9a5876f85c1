// Go modules: programs, what they import, and where they listen.
import { expect, test } from 'vitest'
import { go } from '../../../src/scaffold/kinds/go.js'
import { commandOf, findWith, librariesOf, stageOf, type Files } from './find-with.js'

const find = (files: Files, folder?: string) =>
  findWith(go, { 'go.mod': 'module example.com/shop\n\ngo 1.22\n', ...files }, folder)
const main = (body = ''): string => `package main\n\nfunc main() {\n${body}\n}\n`

test('a library is nothing that runs', () => {
  expect(find({ 'shop.go': 'package shop\n' })).toEqual([])
  expect(findWith(go, { 'main.go': main() })).toEqual([])
})

test('the program of the module itself', () => {
  const [found] = findWith(go, 'go-main')
  expect(found?.name).toBe('hello')
  expect(found?.live).toEqual([
    { rule: 'rebuildOn', paths: ['go.mod'] },
    { rule: 'ignore', paths: ['**/*_test.go'] },
    { rule: 'sync', from: '.', to: '/app' },
    { rule: 'run', command: 'go build -o bin/server .' },
    { rule: 'restart' },
  ])
  expect(commandOf(found)).toEqual(['/app/bin/server'])
  expect(commandOf(found, 'prod')).toEqual(['/app/server'])
  expect(found?.port).toMatchObject({ number: 8080, proof: 'main.go' })
})

test('each program of cmd is one, with what it imports itself', () => {
  const found = findWith(go, 'go-cmd')
  expect(found.map(({ name, dockerfile, port }) => [name, dockerfile.name, port?.number])).toEqual([
    ['api', 'Dockerfile.api', 9000],
    ['worker', 'Dockerfile.worker', undefined],
  ])
  expect(found.map(({ sources }) => sources)).toEqual([['cmd/api/main.go', 'internal/orders/orders.go'], ['cmd/worker/main.go']])
  expect(found.map(librariesOf)).toEqual([
    ['github.com/go-chi/chi/v5', 'github.com/jackc/pgx/v5'],
    ['github.com/redis/go-redis/v9'],
  ])
})

test('commands that run to their end are left out', () => {
  const found = find({ 'cmd/server/main.go': main(), 'cmd/migrate/main.go': main(), 'cmd/shopctl/main.go': main() })
  expect(found.map(({ name, dockerfile }) => [name, dockerfile.name])).toEqual([['server', undefined]])
})

test('a workspace is the context of its modules, which look at what they use', () => {
  const [found] = findWith(go, 'go-work', 'services/gateway')
  expect(found).toMatchObject({ name: 'gateway', context: '', port: { number: 8080 } })
  expect(found?.live).toContainEqual({ rule: 'ignore', paths: ['**/*_test.go', 'services/billing'] })
  expect(stageOf(found, 'dependencies')).toEqual(expect.arrayContaining(['COPY go.work ./', 'COPY shared/go.mod ./shared/']))
  expect(findWith(go, 'go-work', 'shared')).toEqual([])
  expect(findWith(go, 'go-work', 'services/billing')[0]?.port).toEqual({ number: 8081, proof: 'services/billing/main.go' })
})

test.each<[text: string, port: number | undefined]>([
  ['http.ListenAndServe(":9001", nil)', 9001],
  ['srv := &http.Server{Addr: "0.0.0.0:9002"}; srv.ListenAndServe()', 9002],
  ['net.Listen("tcp", ":50051")', 50_051],
  ['port := "9003"\nhttp.ListenAndServe(":"+port, nil)', 9003],
  ['http.ListenAndServe(addr, nil)', 8080],
  ['exec.Command("ls").Run()', undefined],
])('the port of %s', (text, port) => {
  expect(find({ 'main.go': main(text) })[0]?.port?.number).toBe(port)
})

test('what listens on localhost is told', () => {
  expect(find({ 'main.go': main('http.ListenAndServe("localhost:8080", nil)') })[0]?.notes).toEqual([
    expect.stringContaining('localhost only'),
  ])
})

test('a program that uses C is compiled with it, and runs where its library is', () => {
  const [found] = find({ 'main.go': `package main\n\nimport (\n\t_ "github.com/mattn/go-sqlite3"\n)\n\nfunc main() {}\n` })
  expect(found?.dockerfile.text).toContain('CGO_ENABLED=1')
  expect(found?.dockerfile.text).toContain('FROM gcr.io/distroless/cc-debian12 AS prod')
})

test('folders that the program reads when it runs come along, unless they are compiled in', () => {
  const files = { 'main.go': main(), 'templates/index.html': '' }
  expect(stageOf(find(files)[0], 'build').join()).toContain('cp -r templates /out/app/')
  expect(stageOf(find({ ...files, 'embed.go': 'package main\n//go:embed templates\n' })[0], 'build').join()).not.toContain(
    'cp -r',
  )
})

test('a module that asks for a newer Go than the default gets it', () => {
  const [found] = findWith(go, { 'go.mod': 'module a\n\ngo 1.99.1\n', 'main.go': main() })
  expect(found?.dockerfile.text).toContain('FROM docker.io/library/golang:1.99-bookworm AS base')
})
