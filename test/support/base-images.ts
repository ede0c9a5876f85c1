// Base images for generated Dockerfiles in tests: those of the test bed's registry, or a file that the environment names.
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { testRegistry } from './cluster.js'
import { isInRegistry } from './service-images.js'

/** Names of `devloop init`'s base images to repositories of the registry for tests. */
const known: Readonly<Record<string, string>> = {
  node: 'testbed/node-npm:20',
  python: 'testbed/python:3',
  go: 'testbed/go:1',
  java: 'testbed/java:17',
  maven: 'testbed/java:17',
  'java-run': 'testbed/java:17',
  rust: 'testbed/rust:1',
  nginx: 'testbed/nginx:1',
  static: 'testbed/static:1',
  cc: 'testbed/debian:12',
  postgres: 'testbed/postgres:15',
  redis: 'testbed/redis:7',
}

/**
 * Names to references, for `--bases`. DEVLOOP_TEST_BASES names a file with others.
 * @throws Error when one is not there: a test that cannot run must not pass
 */
export async function baseImages(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const file = process.env.DEVLOOP_TEST_BASES
  if (file) return parse(await readFile(file, 'utf8')) as Record<string, string>
  const registry = await testRegistry()
  const found = names.map((name) => [name, known[name] ?? ''] as const)
  const there = await Promise.all(found.map(([, image]) => isInRegistry(registry, image)))
  const missing = found.filter((_, i) => !there[i]).map(([name, image]) => `${name} (${registry}/${image})`)
  if (missing.length > 0)
    throw new Error(
      `base images are missing: ${missing.join(', ')}. Push them there, or name others in a file by DEVLOOP_TEST_BASES.`,
    )
  return Object.fromEntries(found.map(([name, image]) => [name, `${registry}/${image}`]))
}
