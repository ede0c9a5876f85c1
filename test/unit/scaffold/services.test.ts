// Which value of a service each variable gets, where languages have forms of their own.
import { expect, test } from 'vitest'
import { makeBases } from '../../../src/scaffold/bases.js'
import { planInit } from '../../../src/scaffold/plan.js'
import { sourceTreeOf } from '../../../src/scaffold/source-tree.js'

/** Variables of the only component that come from a service, with the value that they get. */
function valuesIn(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { components } = planInit({ tree: sourceTreeOf(files), rootName: 'shop', bases: makeBases() })
  expect(components).toHaveLength(1)
  const env = Object.entries(components[0]?.env ?? {})
  return Object.fromEntries(
    env.flatMap(([name, value]) => (value.kind === 'service' ? [[name, `${value.service} ${value.value}`]] : [])),
  )
}

const packages = (...names: readonly string[]): string => names.map((name) => `<PackageReference Include="${name}"/>`).join('')

test('.NET: connection strings by their names in appsettings.json', () => {
  const files = {
    'Shop.csproj': `<Project Sdk="Microsoft.NET.Sdk.Web"><ItemGroup>${packages('Npgsql', 'StackExchange.Redis')}</ItemGroup></Project>`,
    'appsettings.json': '{"ConnectionStrings": {"Orders": "Host=localhost", "RedisCache": "localhost:6379"}}',
  }
  expect(valuesIn(files)).toEqual({ ConnectionStrings__Orders: 'postgres ado', ConnectionStrings__RedisCache: 'redis address' })
  expect(valuesIn({ 'Shop.csproj': files['Shop.csproj'] })).toEqual({
    ConnectionStrings__DefaultConnection: 'postgres ado',
    REDIS_URL: 'redis url',
  })
})

test('Java: the address of a database is one of JDBC, by whatever name', () => {
  const dependency = (group: string, artifact: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId></dependency>`
  expect(
    valuesIn({
      'pom.xml': `<project><artifactId>shop</artifactId><dependencies>${dependency('org.springframework.boot', 'spring-boot-starter-jdbc')}${dependency('org.postgresql', 'postgresql')}</dependencies></project>`,
      'src/main/java/shop/App.java': 'package shop;\nclass App { public static void main(String[] args) {} }',
      'src/main/resources/application.properties': 'spring.datasource.url=${DB_URL}\n',
    }),
  ).toEqual({
    DB_URL: 'postgres jdbc',
    SPRING_DATASOURCE_USERNAME: 'postgres user',
    SPRING_DATASOURCE_PASSWORD: 'postgres password',
  })
})

test('Go: each program gets what it reads itself', () => {
  const { components } = planInit({
    tree: sourceTreeOf({
      'go.mod': 'module shop\n\nrequire github.com/lib/pq v1\n',
      'cmd/api/main.go': 'package main\n\nimport _ "github.com/lib/pq"\n\nfunc main() { os.Getenv("DATABASE_URL") }\n',
      'cmd/clock/main.go': 'package main\n\nfunc main() {}\n',
    }),
    rootName: 'shop',
    bases: makeBases(),
  })
  expect(components.map(({ name, env }) => [name, Object.keys(env)])).toEqual([
    ['api', ['DATABASE_URL']],
    ['clock', []],
  ])
})
