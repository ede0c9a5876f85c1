// 500 saves while the app answers 50 requests a second of somebody else; the floor by turns with them, under the same load.
import { startLoad } from '../load.mjs'
import { addSaves, measureSaves } from '../saves.mjs'
import { port } from '../project.mjs'
import { saveLimits } from './save.mjs'

const perSecond = 50

export async function section({ options, small, cluster, cleanup, add }) {
  const session = await small()
  const load = startLoad({ host: session.pod().status.podIP, port, path: '/read?src/server.js', perSecond, cleanup })
  const times = await measureSaves({ session, cluster: await cluster(), n: options.quick ? 10 : 500 })
  const { asked, failed, seconds } = await load.stop()
  const rate = asked / seconds
  // what was measured without the load is no figure of this row
  if (failed > 0 || rate < 0.95 * perSecond)
    throw new Error(
      `the load was ${rate.toFixed(1)} requests a second, of which ${failed} in all failed; it must be ${perSecond}`,
    )
  addSaves(add, {
    id: 'save-loaded',
    where: `, with ${perSecond} requests a second`,
    times,
    ...saveLimits,
    note: `${asked} requests in ${seconds.toFixed(0)} s, all answered`,
  })
}
