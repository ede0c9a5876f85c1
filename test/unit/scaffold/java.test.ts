// Java projects of Maven and Gradle: main classes, modules, Spring.
import { expect, test } from 'vitest'
import type { Question } from '../../../src/scaffold/component.js'
import { gradle } from '../../../src/scaffold/kinds/gradle.js'
import { maven } from '../../../src/scaffold/kinds/maven.js'
import { commandOf, findWith, librariesOf, stageOf, type Files } from './find-with.js'

const pom = (inside = '', artifact = 'shop'): string => `<project><artifactId>${artifact}</artifactId>${inside}</project>`
const main = (name: string, body = ''): string =>
  `package shop;\n\npublic class ${name} {\n  public static void main(String[] args) {\n${body}\n  }\n}\n`
const app: Files = { 'src/main/java/shop/App.java': main('App') }

test('a library is nothing that runs', () => {
  expect(findWith(maven, { 'pom.xml': pom(), 'src/main/java/shop/Shop.java': 'class Shop {}' })).toEqual([])
  expect(findWith(maven, { 'pom.xml': '<project' })).toEqual([])
  expect(findWith(gradle, { 'build.gradle': 'plugins { id "java-library" }' })).toEqual([])
})

test('Maven: it runs from its classes and a folder of libraries, in both stages', () => {
  const [found] = findWith(maven, 'java-maven-plain')
  const command = ['java', '-cp', '/app/target/classes:/opt/lib/*', 'com.example.hello.App']
  expect([commandOf(found), commandOf(found, 'prod')]).toEqual([command, command])
  expect(found?.live).toEqual([
    { rule: 'rebuildOn', paths: ['pom.xml'] },
    { rule: 'ignore', paths: ['**/src/test'] },
    { rule: 'sync', from: '.', to: '/app' },
    { rule: 'run', command: 'mvn -B -q -o compile' },
    { rule: 'restart' },
  ])
  expect(found?.port?.number).toBe(8080)
})

test('Spring Boot: its port, the variables that it reads by itself, and its developer tools instead of a restart', () => {
  const [found] = findWith(maven, 'java-maven-spring')
  expect(found?.port).toEqual({ number: 9090, proof: 'src/main/resources/application.properties' })
  expect(found?.variables?.map(({ name }) => name)).toEqual([
    'SERVER_PORT',
    'SPRING_DATASOURCE_URL',
    'SPRING_DATASOURCE_USERNAME',
    'SPRING_DATASOURCE_PASSWORD',
  ])
  expect(found?.live.map(({ rule }) => rule)).toEqual(['rebuildOn', 'ignore', 'sync', 'run'])
  expect(found?.dockerfile.text).toContain('FROM docker.io/library/eclipse-temurin:21-jdk AS base')
  expect(stageOf(found, 'dependencies')).toEqual(expect.arrayContaining(['COPY mvnw pom.xml ./', 'COPY .mvn/ ./.mvn/']))
  expect(librariesOf(found)).toContain('org.postgresql:postgresql')
})

test('a setting that is a variable as a whole is that variable', () => {
  const spring =
    '<dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-jdbc</artifactId></dependency></dependencies>'
  const [found] = findWith(maven, {
    ...app,
    'pom.xml': pom(spring),
    'src/main/resources/application.properties': 'spring.datasource.url=${DB_URL:none}\nspring.datasource.username=x${NAME}\n',
  })
  expect(found?.variables?.map(({ name }) => name)).toEqual([
    'DB_URL',
    'NAME',
    'SPRING_DATASOURCE_USERNAME',
    'SPRING_DATASOURCE_PASSWORD',
  ])
  expect(found?.port).toBeUndefined()
})

test('of several main classes a person chooses, unless one is Spring Boot’s', () => {
  const asked: Question[] = []
  const [found] = findWith(maven, { ...app, 'pom.xml': pom(), 'src/main/java/shop/Tool.java': main('Tool') }, '', asked)
  expect(asked).toEqual([expect.objectContaining({ id: 'main', fallback: 'shop.App' })])
  expect(commandOf(found)).toContain('shop.App')
  const spring = { 'src/main/kotlin/shop/Web.kt': 'package shop\n\n@SpringBootApplication class Web\n\nfun main() {}' }
  expect(commandOf(findWith(maven, { ...app, ...spring, 'pom.xml': pom() })[0])).toContain('shop.WebKt')
})

test('the main class that the build file names', () => {
  const properties = '<properties><start-class>${base}.Start</start-class><base>shop</base></properties>'
  expect(commandOf(findWith(maven, { 'pom.xml': pom(properties) })[0])).toContain('shop.Start')
})

test.each([
  ['<maven.compiler.release>17</maven.compiler.release>', '17'],
  ['<java.version>11</java.version>', '11'],
  ['<maven.compiler.target>1.8</maven.compiler.target>', '8'],
  ['<other>1</other>', '21'],
])('the version that %s asks for', (property, version) => {
  const [found] = findWith(maven, { ...app, 'pom.xml': pom(`<properties>${property}</properties>`) })
  expect(found?.dockerfile.text).toContain(`FROM docker.io/library/maven:3-eclipse-temurin-${version} AS base`)
})

test('the root of Maven modules is their context, and they run with the classes of those that they use', () => {
  const files: Files = {
    'pom.xml': pom(
      '<packaging>pom</packaging><modules><module>api</module><module>common</module><module>other</module></modules>',
      'root',
    ),
    'api/pom.xml': pom(
      '<dependencies><dependency><groupId>shop</groupId><artifactId>common</artifactId></dependency></dependencies>',
      'api',
    ),
    'api/src/main/java/shop/Api.java': main('Api'),
    'common/pom.xml': pom('', 'common'),
    'other/pom.xml': pom('', 'other'),
  }
  expect(findWith(maven, files)).toEqual([])
  const [found] = findWith(maven, files, 'api')
  expect(found).toMatchObject({ name: 'api', context: '' })
  expect(commandOf(found)).toEqual(['java', '-cp', '/app/api/target/classes:/app/common/target/classes:/opt/lib/*', 'shop.Api'])
  expect(found?.live).toContainEqual({ rule: 'run', command: 'mvn -B -q -o compile -pl api -am' })
  expect(found?.live).toContainEqual({ rule: 'ignore', paths: ['**/src/test', 'other'] })
  expect(stageOf(found, 'dependencies').join()).toContain('-DexcludeArtifactIds=common')
  expect(found?.sources).toEqual(['api/src/main/java/shop/Api.java'])
})

test('Gradle, by its wrapper', () => {
  const [found] = findWith(gradle, 'java-gradle')
  expect(found).toMatchObject({ name: 'catalogue', port: { number: 8082, proof: 'src/main/resources/application.yml' } })
  expect(commandOf(found)).toEqual([
    'java',
    '-cp',
    '/app/build/classes/java/main:/app/build/resources/main:/opt/lib/*',
    'com.example.catalogue.CatalogueApplication',
  ])
  expect(found?.live).toContainEqual({ rule: 'run', command: './gradlew -q --offline classes' })
})

test('Gradle, written in Groovy, with a worker', () => {
  const [found] = findWith(gradle, 'java-gradle-groovy')
  expect(found?.port).toBeUndefined()
  expect(commandOf(found)).toContain('com.example.counter.Counter')
  expect(found?.dockerfile.text).toContain('FROM docker.io/library/gradle:8-jdk17 AS base')
  expect(librariesOf(found)).toEqual(['redis.clients:jedis'])
})

test('Gradle projects that are included', () => {
  const files: Files = {
    'settings.gradle': "rootProject.name = 'shop'\ninclude 'api', 'common'\n",
    'build.gradle': '',
    'api/build.gradle': "plugins { id 'application' }\ndependencies { implementation project(':common') }\n",
    'api/src/main/java/shop/Api.java': main('Api'),
    'common/build.gradle': '',
  }
  const [found] = findWith(gradle, files, 'api')
  expect(found).toMatchObject({ name: 'api', context: '' })
  expect(found?.live).toContainEqual({ rule: 'run', command: 'gradle -q --offline :api:classes' })
  expect(commandOf(found)).toContain(
    '/app/api/build/classes/java/main:/app/api/build/resources/main:/app/common/build/classes/java/main:/app/common/build/resources/main:/opt/lib/*',
  )
})
