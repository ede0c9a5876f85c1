// Which services a component needs, and by which variables it is told of them.
import type { Component } from './plan-types.js'
import type { Finding, Found } from './component.js'
import type { Variable } from './environment.js'
import { serviceKinds, serviceSigns, valueOf, type ServiceKind, type ServiceValue } from './service-signs.js'
import { findInFiles } from './find-text.js'
import { inFolder, type SourceTree } from './source-tree.js'

export interface ServiceNeed {
  readonly kind: ServiceKind
  /** Variable to the value that it gets. */
  readonly variables: Readonly<Record<string, ServiceValue>>
  /** What proved it. */
  readonly finding: Finding
}

/** The services that a component's libraries, its variables and their examples speak of; each kind once, in the order of the table. */
export function servicesOf(
  tree: SourceTree,
  folder: string,
  found: Found,
  variables: readonly Variable[],
): readonly ServiceNeed[] {
  const prisma = findInFiles(
    tree,
    [inFolder(folder, 'prisma/schema.prisma')],
    [/^\s*provider\s*=\s*"(postgresql|postgres|mysql|mongodb)"/m],
  )
  const proofs = new Map<ServiceKind, Finding>()
  for (const kind of serviceKinds) {
    const { title, libraries, schemes } = serviceSigns[kind]
    const library = found.libraries.find(({ name }) => libraries.test(name))
    const example = variables.find(({ example: text }) => text !== undefined && schemes.test(text))
    const variable = variables.find(({ name }) => /^(url|address|host|brokers)$/.test(valueOf(kind, name, true) ?? ''))
    if (library) proofs.set(kind, { what: `${title}, by ${library.name}`, proof: library.proof })
    else if (prisma?.match[1]?.startsWith(kind)) proofs.set(kind, { what: `${title}, by Prisma`, proof: prisma.proof })
    else if (example) proofs.set(kind, { what: `${title}, by ${example.name}`, proof: example.proof })
    else if (variable) proofs.set(kind, { what: `${title}, by ${variable.name}`, proof: variable.proof })
  }
  // a prefix that several kinds share, such as DATABASE_, is of the first of them
  const taken = new Set<string>()
  return [...proofs].map(([kind, finding]) => {
    const wanted: Record<string, ServiceValue> = {}
    for (const { name } of variables) {
      const value = taken.has(name) ? undefined : valueFor(kind, name, found)
      if (value === undefined) continue
      wanted[name] = value
      taken.add(name)
    }
    return { kind, variables: Object.keys(wanted).length > 0 ? wanted : usualVariables(kind, found), finding }
  })
}

/** Java and .NET have forms of their own for the address of a database. */
function valueFor(kind: ServiceKind, variable: string, { kind: component }: Found): ServiceValue | undefined {
  const isSql = kind === 'postgres' || kind === 'mysql'
  const connection = component === 'dotnet' ? /^ConnectionStrings__(.*)$/.exec(variable)?.[1] : undefined
  if (connection !== undefined) {
    const isCache = /redis|cache/i.test(connection)
    if (isSql && !isCache && !/mongo|rabbit|kafka|storage|blob|bus/i.test(connection)) return 'ado'
    return kind === 'redis' && isCache ? 'address' : undefined
  }
  const value = valueOf(kind, variable)
  return component === 'java' && isSql && value === 'url' ? 'jdbc' : value
}

/** What is set where the sources name no variable: what the framework reads by itself, else what is usual. */
function usualVariables(kind: ServiceKind, { kind: component, libraries }: Found): Readonly<Record<string, ServiceValue>> {
  const isSql = kind === 'postgres' || kind === 'mysql'
  if (libraries.some(({ name }) => name.startsWith('org.springframework.boot:'))) {
    if (isSql)
      return { SPRING_DATASOURCE_URL: 'jdbc', SPRING_DATASOURCE_USERNAME: 'user', SPRING_DATASOURCE_PASSWORD: 'password' }
    if (kind === 'mongodb') return { SPRING_DATA_MONGODB_URI: 'url' }
    if (kind === 'redis') return { SPRING_DATA_REDIS_URL: 'url' }
    if (kind === 'kafka') return { SPRING_KAFKA_BOOTSTRAP_SERVERS: 'brokers' }
    if (kind === 'rabbitmq')
      return {
        SPRING_RABBITMQ_HOST: 'host',
        SPRING_RABBITMQ_PORT: 'port',
        SPRING_RABBITMQ_USERNAME: 'user',
        SPRING_RABBITMQ_PASSWORD: 'password',
      }
  }
  if (component === 'dotnet' && isSql) return { ConnectionStrings__DefaultConnection: 'ado' }
  return serviceSigns[kind].usual
}

/** A service of the plan, which several components may share. */
export interface Service {
  readonly kind: ServiceKind
  readonly name: string
}

/** Each kind once, for all components that need it. A name that a component has is avoided. */
export function sharedServices(components: readonly Component[]): readonly Service[] {
  const kinds = serviceKinds.filter((kind) => components.some(({ services }) => services.some((need) => need.kind === kind)))
  const taken = new Set(components.map(({ name }) => name))
  return kinds.map((kind) => {
    const isShared = kinds.some((other) => other !== kind && serviceSigns[other].name === serviceSigns[kind].name)
    const wanted = isShared ? kind : serviceSigns[kind].name
    const name = [wanted, kind, `${kind}-service`].find((one) => !taken.has(one)) ?? `${kind}-0`
    taken.add(name)
    return { kind, name }
  })
}
