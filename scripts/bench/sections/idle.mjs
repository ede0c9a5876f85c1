// The daemon with nothing to do and no client: processor time and memory of it and its children.
import { measureIdle } from '../idle.mjs'

export async function section({ options, small, closeSmall, launcher, say, add }) {
  await small()
  const project = await closeSmall()
  const daemon = launcher.start({ devloopfile: project.devloopfile, namespace: project.namespace })
  return measureIdle({ id: 'idle', of: 'a small project', daemon, limits: { cpu: 0.3, mb: 110 }, options, say, add })
}
