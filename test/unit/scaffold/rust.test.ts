// Rust packages: binaries, workspaces, and what a manifest needs beside it.
import { expect, test } from 'vitest'
import { rust } from '../../../src/scaffold/kinds/rust.js'
import { commandOf, findWith, librariesOf, stageOf, type Files } from './find-with.js'

const manifest = '[package]\nname = "shop"\nversion = "0.1.0"\n'
const find = (files: Files) => findWith(rust, { 'Cargo.toml': manifest, 'Cargo.lock': '', ...files })

test('a library is nothing that runs', () => {
  expect(find({ 'src/lib.rs': '' })).toEqual([])
  expect(findWith(rust, { 'Cargo.toml': 'no toml [' })).toEqual([])
})

test('crates are built for an empty program first, by the lockfile', () => {
  const [found] = findWith(rust, 'rust-plain')
  expect(stageOf(found, 'manifests')).toEqual([
    'COPY Cargo.toml Cargo.lock ./',
    "RUN mkdir -p src && echo 'fn main() {}' | tee src/main.rs > /dev/null",
    '',
    expect.anything(),
    '',
  ])
  expect(stageOf(found, 'dev')[0]).toBe('RUN umask 002 && cargo build --locked -p hello --bin hello')
  expect(commandOf(found)).toEqual(['/opt/target/debug/hello'])
  expect(found?.live.at(-2)).toEqual({ rule: 'run', command: 'cargo build --locked -p hello --bin hello' })
})

test('without a lockfile it is not asked for, and told', () => {
  const [found] = findWith(rust, { 'Cargo.toml': manifest, 'src/main.rs': '' })
  expect(stageOf(found, 'dev')[0]).toBe('RUN umask 002 && cargo build -p shop --bin shop')
  expect(found?.notes).toEqual([expect.stringContaining('no Cargo.lock')])
})

test('all that a manifest names is there as an empty file', () => {
  const [found] = find({
    'Cargo.toml': `${manifest}build = "make.rs"\n[lib]\npath = "lib/shop.rs"\n[[bench]]\nname = "speed"\n`,
    'src/main.rs': '',
    'lib/shop.rs': '',
    'make.rs': '',
  })
  expect(stageOf(found, 'manifests')[1]).toBe(
    "RUN mkdir -p . benches lib src && touch lib/shop.rs && echo 'fn main() {}' | tee src/main.rs make.rs benches/speed.rs > /dev/null",
  )
})

test('each binary is one', () => {
  const found = find({ 'src/main.rs': '', 'src/bin/worker.rs': '', 'src/bin/mailer/main.rs': '' })
  expect(found[2]?.sources).toEqual(['src/bin/worker.rs'])
  expect(found.map(({ name, dockerfile }) => [name, dockerfile.name])).toEqual([
    ['shop', undefined],
    ['mailer', 'Dockerfile.mailer'],
    ['worker', 'Dockerfile.worker'],
  ])
})

test('a workspace is the context of its members, which look at what they use', () => {
  const [server] = findWith(rust, 'rust-workspace', 'server')
  expect(server).toMatchObject({ name: 'server', context: '', port: { number: 8085, proof: 'server/src/main.rs' } })
  expect(server?.findings[0]).toEqual({ what: 'Rust 1.82', proof: 'rust-toolchain.toml' })
  expect(server?.live).toContainEqual({ rule: 'ignore', paths: ['server/tests', 'crates/core/tests', 'crates/mailer'] })
  const [mailer] = findWith(rust, 'rust-workspace', 'crates/mailer')
  expect(mailer?.port).toBeUndefined()
  expect(librariesOf(mailer)).toContain('lapin')
  expect(findWith(rust, 'rust-workspace', 'crates/core')).toEqual([])
  expect(findWith(rust, 'rust-workspace')).toEqual([])
})

test.each<[text: string, port: number | undefined]>([
  ['TcpListener::bind("0.0.0.0:3000").await', 3000],
  ['HttpServer::new(app).bind(("0.0.0.0", 3001))?', 3001],
  ['axum::Server::bind(&SocketAddr::from(([0, 0, 0, 0], 3002)))', 3002],
  ['let port = env::var("PORT").unwrap_or("3003".into()); TcpListener::bind(address)', 3003],
  ['println!("127.0.0.1:99")', undefined],
])('the port of %s', (text, port) => {
  expect(find({ 'src/main.rs': text })[0]?.port?.number).toBe(port)
})

test('what listens on localhost is told', () => {
  expect(find({ 'src/main.rs': 'TcpListener::bind("127.0.0.1:3000")' })[0]?.notes).toEqual([
    expect.stringContaining('localhost only'),
  ])
})

test('Rocket listens where others reach it', () => {
  const [found] = find({ 'Cargo.toml': `${manifest}[dependencies]\nrocket = "0.5"\n`, 'src/main.rs': 'rocket::build()' })
  expect(stageOf(found, 'dev')).toContain('ENV ROCKET_ADDRESS=0.0.0.0')
  expect(found?.port?.number).toBe(8000)
})
