// Images of databases for tests on a cluster: from the registry of the test bed, or as the environment says.
import { testRegistry } from './cluster.js'

const known = { postgres: 'testbed/postgres:15', redis: 'testbed/redis:7' } as const

/**
 * Reference of an image that takes the variables of the official one. DEVLOOP_TEST_POSTGRES and DEVLOOP_TEST_REDIS name others.
 * @throws Error when it is not there: a test that cannot run must not pass
 */
export async function serviceImage(kind: keyof typeof known): Promise<string> {
  const variable = `DEVLOOP_TEST_${kind.toUpperCase()}`
  const given = process.env[variable]
  if (given) return given
  const registry = await testRegistry()
  if (!(await isInRegistry(registry, known[kind])))
    throw new Error(`${registry} has no ${known[kind]}: push it there, or name another image in ${variable}`)
  return `${registry}/${known[kind]}`
}

/** @param image repository and tag */
export async function isInRegistry(registry: string, image: string): Promise<boolean> {
  const [name, tag] = image.split(':')
  const headers = { accept: 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json' }
  const found = await fetch(`http://${registry}/v2/${name}/manifests/${tag}`, { method: 'HEAD', headers }).catch(() => undefined)
  return found?.ok ?? false
}
