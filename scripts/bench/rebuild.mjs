// Measures one rebuild: from the save to the answer of the new pod, and when each step in between was seen.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stagesSince } from './devloop.mjs'
import { pauseBetween } from './pause.mjs'
import { createProbe } from './probe.mjs'
import { port } from './project.mjs'

/** The new pod is asked at its own address as soon as the API server tells it. */
export async function measureRebuild(session, text) {
  const { client, pods, project, daemon } = session
  const old = new Set(pods.keys())
  const seen = {}
  const start = performance.now()
  const mark = (stage) => (seen[stage] ??= performance.now() - start)
  const image = () => [...client.views().values()].find((view) => view.kind === 'image')
  const watchImage = client.onViews(() => {
    const { state, stage } = image() ?? {}
    if (state === 'building') mark(`${stage ?? 'context'} begins`)
  })
  const saved = performance.timeOrigin + start
  writeFileSync(join(project.context, 'build-input.txt'), text)
  let pod
  const end = start + 120_000
  for (;;) {
    pod = [...pods.values()].find((one) => !old.has(one.metadata.name))
    if (pod) mark('pod seen')
    if (pod?.spec.nodeName) mark('pod scheduled')
    if (pod?.status.podIP) break
    if (performance.now() > end) throw new Error(`no new pod in 120 s: ${daemon.text().slice(-2_000)}`)
    await delay(2)
  }
  mark('address known')
  const probe = createProbe(pod.status.podIP, port)
  const { at } = await probe.until('/read?build-input.txt', (answer) => answer === text, { pauseMs: 5 })
  const began = Number(await probe.ask('/began')) - saved
  // on another machine the clock is another one
  if (began > 0 && began < at - start) seen['app process begins'] = began
  probe.close()
  while (!pods.get(pod.metadata.name)?.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
    await delay(2)
  mark('pod ready')
  const change = await session.changes.settled(saved)
  const stages = { ...stagesSince(change, saved), ...seen, answer: at - start }
  const steps = Object.fromEntries(
    (image()?.steps ?? []).filter((step) => step.ms > 20).map((step) => [`(step ${step.name.slice(0, 50)})`, step.ms]),
  )
  // as anybody sees it in the status
  const { sentBytes } = image()?.context ?? {}
  watchImage()
  await daemon.ready(client)
  // the old pod's end is no part of the next rebuild; and the kubelet looks at its containers once a second, which must not set the pace
  while ([...pods.keys()].some((name) => old.has(name)) && performance.now() < end) await delay(20)
  await pauseBetween(300, 1_500)
  const inOrder = Object.fromEntries(Object.entries(stages).toSorted(([, a], [, b]) => a - b))
  return { ms: at - start, stages: { ...inOrder, ...steps }, sentBytes }
}
