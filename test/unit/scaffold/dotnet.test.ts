// .NET projects: web apps, workers, and those that they refer to.
import { expect, test } from 'vitest'
import { dotnet } from '../../../src/scaffold/kinds/dotnet.js'
import { commandOf, findWith, librariesOf, stageOf, type Files } from './find-with.js'

const project = (sdk: string, inside = ''): string => `<Project Sdk="Microsoft.NET.Sdk${sdk}">${inside}</Project>`
const find = (files: Files, folder?: string) => findWith(dotnet, files, folder)[0]

test('a library and tests are nothing that runs', () => {
  expect(find({ 'Shop.csproj': project('') })).toBeUndefined()
  expect(
    find({ 'Shop.csproj': project('.Web', '<ItemGroup><PackageReference Include="Microsoft.NET.Test.Sdk"/></ItemGroup>') }),
  ).toBeUndefined()
  expect(find({ 'Shop.csproj': 'no xml' })).toBeUndefined()
})

test('a web app is watched by its own tool', () => {
  const [found] = findWith(dotnet, 'dotnet-web')
  expect(found).toMatchObject({ name: 'Weather', port: { number: 8080 } })
  expect(found?.findings[0]).toEqual({ what: '.NET 9.0', proof: 'Weather.csproj' })
  expect(commandOf(found)).toEqual([
    'dotnet',
    'watch',
    '--non-interactive',
    '--project',
    'Weather.csproj',
    'run',
    '--no-launch-profile',
  ])
  expect(commandOf(found, 'prod')).toEqual(['dotnet', 'Weather.dll'])
  expect(found?.live.map(({ rule }) => rule)).toEqual(['rebuildOn', 'sync'])
  expect(librariesOf(found)).toEqual(['Npgsql.EntityFrameworkCore.PostgreSQL'])
  expect(found?.variables).toEqual([{ name: 'ConnectionStrings__Forecasts', proof: 'appsettings.json' }])
})

test('a worker has no port', () => {
  const found = find({ 'Jobs.csproj': project('.Worker', '<PropertyGroup><AssemblyName>Run</AssemblyName></PropertyGroup>') })
  expect(found?.port).toBeUndefined()
  expect(commandOf(found, 'prod')).toEqual(['dotnet', 'Run.dll'])
})

test('projects that it refers to are in its context', () => {
  const reference = '<ItemGroup><ProjectReference Include="..\\Shared\\Shared.csproj"/></ItemGroup>'
  const files: Files = {
    'src/Api/Api.csproj': project('.Web', reference),
    'src/Api/packages.lock.json': '{}',
    'src/Shared/Shared.csproj': project(
      '',
      '<ItemGroup><PackageReference Include="StackExchange.Redis" Version="2"/></ItemGroup>',
    ),
    'src/Directory.Build.props': '<Project/>',
  }
  const found = find(files, 'src/Api')
  expect(found?.context).toBe('src')
  expect(stageOf(found, 'dependencies')).toEqual(
    expect.arrayContaining([
      'COPY Directory.Build.props ./',
      'COPY Api/Api.csproj Api/packages.lock.json ./Api/',
      'COPY Shared/Shared.csproj ./Shared/',
      'RUN umask 002 && dotnet restore Api/Api.csproj --locked-mode',
    ]),
  )
  expect(librariesOf(found)).toEqual(['StackExchange.Redis'])
})
