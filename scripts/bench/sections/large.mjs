// Idle beside 50,000 watched files (250 MB), all of them in the image's context and covered by a sync rule.
import { join } from 'node:path'
import { measureIdle } from '../idle.mjs'
import { writeSeeded } from '../seeded.mjs'

export async function section({ options, project, open, launcher, say, add }) {
  const made = await project('large', { layer: 'big', extraRules: ["sync('big', '/app/big')"] })
  say('writing 50,000 files (250 MB), and building them once')
  await writeSeeded(join(made.context, 'big'), { files: 50_000, bytes: 5_000, perFolder: 50 })
  const first = await open(made)
  await first.close()
  const daemon = launcher.start({ devloopfile: made.devloopfile, namespace: made.namespace })
  const why = await measureIdle({ id: 'large', of: '50,000 watched files', daemon, limits: { mb: 250 }, options, say, add })
  await made.removeNamespace()
  return why
}
