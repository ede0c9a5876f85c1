// Watches the Secrets of the cluster that secrets of the Devloopfile take their values from, each by itself.
import type { ConfigSpec } from '../../model/plan.js'
import type { Observed } from '../../ports/runtime.js'
import type { KubeConnection } from './connection.js'
import type { LiveObject } from './deploy/cluster-objects.js'
import { readSecretSource, type ReadSecretSource, type SecretSource } from './deploy/secret-source.js'
import { watchList } from './watch.js'

export interface SecretWatches {
  /** Reads one for a deploy, and keeps in mind what was there. */
  readonly read: ReadSecretSource
  /** Watch exactly those of this config from now on; what differs from what was read last asks for another deploy. */
  watch(spec: ConfigSpec): void
  stop(resource: string): void
  /** Passes observations on, with what the watches ask for. */
  through(onObserved: (observed: Observed) => void): (observed: Observed) => void
}

/** No Secret. */
const gone = 'gone'

/** One that is watched for a config. */
interface Watched {
  readonly abort: AbortController
  /** Version that a deploy read last; undefined = it could not. */
  read: string | undefined
  /** Version that is not what was read when it was seen. */
  news: string | undefined
}

/** @param life ends all watches. @param log gets what is worth a line */
export function createSecretWatches(connection: KubeConnection, life: AbortSignal, log: (line: string) => void): SecretWatches {
  const watched = new Map<string, Map<string, Watched>>()
  const last = new Map<string, Observed>()
  const following = new WeakSet<Watched>()
  let tell: (observed: Observed) => void = () => {}

  const keyOf = ({ namespace, name }: SecretSource): string => `${namespace}/${name}`
  const entryOf = (resource: string, key: string): Watched => {
    const ofResource = watched.get(resource) ?? new Map<string, Watched>()
    watched.set(resource, ofResource)
    const entry = ofResource.get(key) ?? { abort: new AbortController(), read: undefined, news: undefined }
    ofResource.set(key, entry)
    return entry
  }
  const versionOf = (live: LiveObject | undefined): string => live?.metadata.resourceVersion ?? gone

  const withNews = (observed: Observed): Observed => {
    const news = [...(watched.get(observed.resource) ?? [])].flatMap(([key, entry]) =>
      entry.news === undefined ? [] : [`with Secret ${key} as of ${entry.news}`],
    )
    return news.length === 0 ? observed : { ...observed, redeploy: [observed.redeploy, ...news].filter(Boolean).join(', ') }
  }

  const follow = (resource: string, key: string, source: SecretSource, entry: Watched): void => {
    const seen = (version: string): void => {
      if (version === entry.news || (version === entry.read && entry.news === undefined)) return
      entry.news = version
      tell(withNews(last.get(resource) ?? { resource, pods: [], rolledOut: true }))
    }
    const what = `watch Secret ${key}`
    void watchList<LiveObject>(
      connection,
      {
        path: `/api/v1/namespaces/${encodeURIComponent(source.namespace)}/secrets`,
        fieldSelector: `metadata.name=${source.name}`,
        what,
        onList: ([live]) => seen(versionOf(live)),
        onChange: (type, live) => seen(type === 'DELETED' ? gone : versionOf(live)),
        onLost: (error) => {
          if (error) log(`${resource}: changes of the Secret ${key} are not noticed: ${error.message}`)
        },
      },
      AbortSignal.any([entry.abort.signal, life]),
    )
  }

  return {
    read: (spec, source, signal) =>
      readSecretSource(connection, spec, source, signal, (live) => {
        entryOf(spec.name, keyOf(source)).read = versionOf(live)
      }),
    watch(spec) {
      const wanted = new Map(spec.sources.flatMap((one) => (one.kind === 'secret' ? [[keyOf(one), one] as const] : [])))
      for (const [key, entry] of watched.get(spec.name) ?? []) {
        if (wanted.has(key)) continue
        entry.abort.abort()
        watched.get(spec.name)?.delete(key)
        following.delete(entry)
      }
      for (const [key, source] of wanted) {
        const entry = entryOf(spec.name, key)
        if (following.has(entry)) continue
        following.add(entry)
        follow(spec.name, key, source, entry)
      }
    },
    stop(resource) {
      for (const entry of watched.get(resource)?.values() ?? []) entry.abort.abort()
      watched.delete(resource)
      last.delete(resource)
    },
    through(onObserved) {
      tell = onObserved
      return (observed) => {
        if (watched.has(observed.resource)) last.set(observed.resource, observed)
        onObserved(withNews(observed))
      }
    },
  }
}
