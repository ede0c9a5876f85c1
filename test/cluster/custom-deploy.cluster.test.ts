// Custom deploys: the user's commands apply and delete, and what they made is observed, synced into, and applied again.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { statusOf } from '../../src/adapters/kube/errors.js'
import { waitFor } from '../support/cluster.js'
import { withKubeTools } from '../support/kube-tools.js'
import { appFiles, loop, type Loop, type Names } from '../support/loop.js'
import { deploymentYaml } from '../support/workloads.js'

const write =
  (options: string) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { custom, defineDevloop, image, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('public', '/app/public')] })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [${options === '' ? '' : `custom('shop', { images: [web], watch: 'deploy/**', forward: { 8080: ${port} }, ${options} })`}],
}))
`

const template = deploymentYaml('containers: [{ name: web, image: IMAGE, env: [{ name: MODE, value: MODE_HERE }] }]')

const files = {
  ...appFiles,
  'deploy/web.yaml': template,
  'deploy/mode': 'one',
  'apply.sh':
    'set -e\necho "applying $DEVLOOP_RESOURCE" >&2\nsed -e "s|IMAGE|$DEVLOOP_IMAGE_0|; s|MODE_HERE|$(cat deploy/mode)|" deploy/web.yaml | kubectl apply -f - -o yaml\n',
}

const whole = `apply: 'sh apply.sh', delete: 'kubectl delete --wait=false deployment/web'`

async function prepared(options: string): Promise<Loop> {
  return loop({ devloopfile: write(options), files, env: await withKubeTools() })
}

/** Pods of devloop's own label there are none; the apply command made them. */
async function podUids(one: Loop): Promise<readonly string[]> {
  const { items } = (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/pods`, {
    query: { labelSelector: 'app=web' },
  })) as { items: { metadata: { uid: string; deletionTimestamp?: string } }[] }
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.uid)
}

const isThere = async (one: Loop): Promise<boolean> => {
  try {
    await one.connection.request('GET', `/apis/apps/v1/namespaces/${one.namespace}/deployments/web`)
    return true
  } catch (error) {
    if (statusOf(error)?.code === 404) return false
    throw error
  }
}

test('what the command applied is ready, forwarded, synced into, applied again at changes, and deleted when it leaves the plan', async () => {
  const one = await prepared(whole)
  const watching = await one.begin()
  await one.answers('first', '/live')
  const [before] = await podUids(one)

  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
  expect(await podUids(one)).toEqual([before])

  // a watched file
  await one.save('deploy/mode', 'two')
  await one.answers(/"MODE":"two"/, '/env', 60_000)
  await watching.ready(60_000)
  // what was synced is in the new pod, too
  await one.answers('second', '/live')
  const [second] = await podUids(one)
  expect(second).not.toBe(before)

  // the image: a file that no rule covers
  await one.save('app/src/word.txt', 'new word')
  await one.answers('new word', '/', 90_000)
  await watching.ready(60_000)
  expect(await podUids(one)).not.toContain(second)

  await one.save('Devloopfile.ts', write('')(one))
  await waitFor(async () => !(await isThere(one)), { what: 'the delete command to run', timeoutMs: 30_000 })
})

test('a command that fails shows its own words, what runs stays; `down` runs the delete command though the daemon is gone', async () => {
  const one = await prepared(whole)
  const watching = await one.begin()
  const before = await podUids(one)
  const script = await readFile(join(one.folder, 'apply.sh'), 'utf8')
  await one.save('apply.sh', 'echo no way >&2; exit 4\n')
  await one.save('deploy/mode', 'two')
  await waitFor(() => watching.resource('shop')?.error?.code === 'custom/failed', { what: 'the error', timeoutMs: 30_000 })
  expect(watching.resource('shop')?.error).toMatchObject({
    message: 'The apply command of shop failed with exit code 4.',
    why: 'no way',
  })
  expect(await podUids(one)).toEqual(before)
  await one.save('apply.sh', script)
  await one.save('deploy/mode', 'three')
  await one.answers(/"MODE":"three"/, '/env', 60_000)

  watching.child.kill('SIGINT')
  await watching.ended
  const down = await one.devloop('down')
  expect(down).toMatchObject({ code: 0 })
  expect(down.stdout).toMatch(/deleted what the custom deploy shop applied/)
  await waitFor(async () => !(await isThere(one)), { what: 'the deployment to go' })
})

test('a command that prints no objects needs a selector', async () => {
  const one = await prepared(`apply: 'sh apply.sh > /dev/null'`)
  const watching = await one.watch()
  await waitFor(() => watching.resource('shop')?.error?.code === 'custom/output', { what: 'the error', timeoutMs: 60_000 })
  await one.save('Devloopfile.ts', write(`apply: 'sh apply.sh > /dev/null', selector: { app: 'web' }`)(one))
  await watching.ready(60_000)
  await one.answers('first', '/live')
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
})
