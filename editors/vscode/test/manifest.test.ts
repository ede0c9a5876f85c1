// package.json against the code: what it offers is there, and what it offers to write is right.
import { readFile } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import type * as vscode from 'vscode'
import { project } from '../../../test/unit/devloopfile/project.js'
import manifest from '../package.json' with { type: 'json' }
import snippets from '../snippets/devloopfile.json' with { type: 'json' }
import { activate } from '../src/extension.js'
import { editor } from './vscode-double.js'

beforeEach(() => editor.reset())

describe('package.json', () => {
  const { commands, menus, configuration, views } = manifest.contributes
  const declared = commands.map(({ command }) => command).toSorted()

  test('declares the commands that there are, and menus and welcome texts use only these', () => {
    const context = { subscriptions: [] as vscode.Disposable[], extension: { packageJSON: manifest } }
    activate(context as unknown as vscode.ExtensionContext)
    expect([...editor.commands.keys()].toSorted()).toEqual(declared)
    for (const one of context.subscriptions.toReversed()) void one.dispose()
    expect(editor.commands.size).toBe(0)
    const used = [
      ...Object.values(menus).flat(),
      ...JSON.stringify(manifest.contributes.viewsWelcome).matchAll(/command:(devloop\.\w+)/g),
    ]
    for (const one of used) expect(declared).toContain('command' in one ? one.command : one[1])
  })

  test('in a workspace that is not trusted, nothing is offered that changes anything', () => {
    const harmless = new Set(['menu', 'openPage', 'openDevloopfile', 'showLog', 'openEndpoint', 'why'])
    for (const { command, enablement } of commands)
      expect([command, /\bisWorkspaceTrusted\b/.test(enablement)]).toEqual([
        command,
        !harmless.has(command.replace('devloop.', '')),
      ])
    const risky = Object.keys(configuration.properties).filter((name) => name !== 'devloop.reattachDebugger')
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.toSorted()).toEqual(risky.toSorted())
  })

  test('is read by the sources as it is meant: settings and views are the ones that these ask for', async () => {
    const sources = (
      await Promise.all(
        ['commands', 'projects', 'debuggers', 'resource-tree'].map((name) =>
          readFile(new URL(`../src/${name}.ts`, import.meta.url), 'utf8'),
        ),
      )
    ).join('\n')
    for (const name of Object.keys(configuration.properties)) expect(sources).toContain(`'${name.replace('devloop.', '')}'`)
    for (const { id } of views.devloop) expect(sources).toContain(`'${id}'`)
  })
})

describe('snippets', () => {
  /** What stands there when nothing is typed over. */
  const expand = (body: readonly string[]): string => {
    let text = body.join('\n').replaceAll('\\$', '\0')
    while (/\$\{\d+:[^${}]*\}/.test(text)) text = text.replaceAll(/\$\{\d+:([^${}]*)\}/g, '$1')
    return text.replaceAll(/\$\d/g, '').replaceAll('\0', '$')
  }
  const bodyOf = (prefix: string): string => expand(Object.values(snippets).find((one) => one.prefix === prefix)?.body ?? [])
  const files = {
    Dockerfile: 'FROM node\n',
    'src/a.js': '',
    'services/name/Dockerfile': 'FROM node\n',
    'services/name/src/a.js': '',
    'deploy/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n',
  }

  test('a whole Devloopfile', async () => {
    const plan = await project({ ...files, 'Devloopfile.ts': bodyOf('devloop') }).plan()
    expect(Object.keys(plan.resources)).toEqual(['api'])
    expect(plan.images['shop/api']?.live.map(({ kind }) => kind)).toEqual(['rebuildOn', 'sync', 'restart'])
  })

  test('all the others, in one', async () => {
    const lists = ['devloop-run', 'devloop-serve', 'devloop-manifests'].map(bodyOf)
    const text = `
import { app, defineDevloop, image, local, manifests, rebuildOn, restart, run, sync } from 'devloop'
export default defineDevloop(() => {
  ${bodyOf('devloop-image').replace('live: [', `live: [\n${bodyOf('devloop-install')}`)}
  ${bodyOf('devloop-app').replace("'postgres:16'", 'nameImage')}
  return { name: 'all', resources: [name, ${lists.join('\n')}] }
})`
    const plan = await project({ ...files, 'services/name/package-lock.json': '{}', 'Devloopfile.ts': text }).plan()
    expect(Object.keys(plan.resources).toSorted()).toEqual(['codegen', 'docs', 'legacy', 'name'])
    expect(
      Object.values(snippets)
        .map(({ prefix }) => prefix)
        .toSorted(),
    ).toEqual(['devloop', 'devloop-app', 'devloop-image', 'devloop-install', 'devloop-manifests', 'devloop-run', 'devloop-serve'])
  })
})
