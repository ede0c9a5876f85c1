// The Devloopfile of a project whose only resource is a Helm chart.
import type { Names } from './loop.js'

/** @param options of `helm('shop', ...)`, with PORT for the forwarded one; '' = the resource is not there */
export const helmDevloopfile =
  (options: string) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { defineDevloop, helm, image, restart, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('src', '/app/src'), restart({ on: 'src/**' })] })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [${options === '' ? '' : `helm('shop', { ${options.replaceAll('PORT', String(port))} })`}],
}))
`
