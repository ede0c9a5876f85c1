// What the variables of a component get: values of services, addresses of other components, generated secrets, examples.
import type { Component, EnvValue } from './plan-types.js'
import type { Variable } from './environment.js'

/** A component that others may refer to. */
type Other = Pick<Component, 'name' | 'kind' | 'port' | 'local' | 'services'>

export interface Wired {
  readonly env: Readonly<Record<string, EnvValue>>
  readonly unknown: readonly Variable[]
}

/** Variables that devloop, the Dockerfile or the platform sets. */
const setByOthers =
  /^(PORT|HOST|HOSTNAME|HOME|PATH|PWD|USER|TZ|CI|DEBUG|NODE_ENV|RAILS_ENV|RACK_ENV|APP_ENV|GO_ENV|ENV|ENVIRONMENT|NO_COLOR|ASPNETCORE_\w+|DOTNET_\w+|KUBERNETES_\w+|npm_\w+)$/
/** What front ends hand on to the browser, which is outside of the cluster. */
const inBrowser = /^(VITE|NEXT_PUBLIC|REACT_APP|NUXT_PUBLIC|PUBLIC|EXPO_PUBLIC|VUE_APP|GATSBY)_/
const ownSecret =
  /^((JWT|SESSION|COOKIE|AUTH|APP|NEXTAUTH|DJANGO|FLASK|TOKEN|ACCESS_TOKEN|REFRESH_TOKEN)_)*(SECRET|SECRET_KEY|SECRET_KEY_BASE)$/
const foreignSecret = /(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASS|CREDENTIALS?)$/

/** @param variables that the component reads, by name */
export function wire(self: Other, others: readonly Other[], variables: readonly Variable[]): Wired {
  const env: Record<string, EnvValue> = {}
  const unknown: Variable[] = []
  for (const { kind, variables: wanted } of self.services)
    for (const [name, value] of Object.entries(wanted)) env[name] = { kind: 'service', service: kind, value }
  for (const variable of variables) {
    const { name, example } = variable
    if (Object.hasOwn(env, name) || setByOthers.test(name)) continue
    const target = referredTo(name, self, others)
    if (target) env[name] = target
    else if (ownSecret.test(name))
      env[name] = { kind: 'generated', name: `${self.name}-${name.toLowerCase().replaceAll('_', '-')}` }
    else if (example !== undefined && example !== '' && !foreignSecret.test(name) && !/localhost|127\.0\.0\.1|\$/.test(example))
      env[name] = { kind: 'text', text: example }
    else if (example !== undefined || /_(URL|URI|ENDPOINT|HOST|ADDR|ADDRESS)$/.test(name) || foreignSecret.test(name))
      unknown.push(variable)
  }
  return { env, unknown }
}

/** The component that a variable's name speaks of, and what of it. */
function referredTo(variable: string, self: Other, others: readonly Other[]): EnvValue | undefined {
  const browser = inBrowser.test(variable)
  const [, prefix = '', suffix = ''] =
    /^(.+?)_(BASE_URL|API_URL|SERVICE_URL|URL|URI|ENDPOINT|ORIGIN|TARGET|HOST|HOSTNAME|ADDR|ADDRESS|PORT)$/.exec(
      variable.replace(inBrowser, ''),
    ) ?? []
  if (prefix === '') return undefined
  const servers = others.filter((one) => one.name !== self.name && one.port !== undefined)
  const slug = bare(prefix.toLowerCase().replaceAll('_', '-'))
  const named = servers.find(({ name }) => bare(name) === slug)
  const backEnds = servers.filter(({ kind, services }) => kind !== 'static' && (services.length > 0 || servers.length === 1))
  const general = /^(API|BACKEND|SERVER|SERVICE)$/.test(prefix) && backEnds.length === 1 ? backEnds[0] : undefined
  const target = named ?? general
  if (!target) return undefined
  if (browser) return target.local === undefined ? undefined : { kind: 'text', text: `http://localhost:${target.local}` }
  const value = /HOST/.test(suffix) ? 'host' : /ADDR/.test(suffix) ? 'address' : suffix === 'PORT' ? 'port' : 'url'
  return { kind: 'component', component: target.name, value }
}

/** A name without what says only that it is a service. */
const bare = (name: string): string => name.replace(/-(service|svc|server|api|app)$/, '').replace(/^(service|svc)-/, '')
