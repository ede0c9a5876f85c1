// "State" and "Resume": snapshot, then deltas by sequence number; parts of it; going on after a break.

export const checks = [
  {
    name: 'state/deltas',
    says: 'After the welcome come deltas with whole views and rising seq; with them the client has the state.',
    async run({ greet, nudge, agree, check }) {
      const wire = await greet()
      const { seq } = wire.welcome
      for (let i = 0; i < 3; i++) await nudge()
      await agree(wire, await greet())
      const deltas = wire.received.filter((one) => one.type === 'delta')
      check(deltas.length > 0, 'no delta came though the state changed')
      check(deltas[0].seq > seq, `the first delta has seq ${deltas[0].seq}, the welcome ${seq}`)
    },
  },
  {
    name: 'state/every-client',
    says: 'Every client is told, whatever connection made the change.',
    async run({ greet, nudge, agree }) {
      const wires = await Promise.all([greet(), greet(), greet({ topics: ['state', 'logs'] })])
      await nudge()
      const fresh = await greet()
      for (const wire of wires) await agree(wire, fresh)
    },
  },
  {
    name: 'state/some-resources',
    says: 'With `resources`, only their views come, those of their images and their changes, and the session.',
    needs: ['talk', 'other'],
    async run({ greet, write, same, check }) {
      const wire = await greet({ state: { resources: ['other'] } })
      const foreign = () => [...wire.views.values()].filter((view) => view.kind === 'resource' && view.name !== 'other')
      same(
        foreign().map((view) => view.name),
        [],
        'resources in the snapshot that were not asked for',
      )
      check(
        wire.views.has('session/session') && wire.views.has('resource/other'),
        `the snapshot has ${[...wire.views.keys()].join(' ')}`,
      )
      await write('talk')
      await write('other')
      await wire.until(
        () => wire.received.some((one) => one.type === 'delta' && one.upserts.some((view) => view.name === 'other')),
        'delta of the selected resource',
      )
      const told = wire.received.filter((one) => one.type === 'delta').flatMap((one) => [...one.upserts, ...one.removes])
      same(
        [...new Set(told.filter((one) => one.kind === 'resource').map((one) => one.name))],
        ['other'],
        'the resources in deltas',
      )
    },
  },
  {
    name: 'state/some-kinds',
    says: 'With `kinds`, only views of these kinds come, and the session.',
    async run({ greet, nudge, write, same }) {
      const wire = await greet({ state: { kinds: ['change'] } })
      await write('talk')
      await nudge()
      await wire.settled()
      const told = wire.received.filter((one) => one.type === 'delta').flatMap((one) => one.upserts)
      const kinds = new Set([...(wire.welcome.snapshot ?? []), ...told].map((view) => view.kind))
      kinds.delete('change')
      same([...kinds], ['session'], 'the kinds')
    },
  },
  {
    name: 'state/selected-later',
    says: '`{ type: "state" }` replaces the selection and is answered by a snapshot, which replaces what the client has; null = all.',
    needs: ['talk', 'other'],
    async run({ greet, write, agree, same, check }) {
      const wire = await greet({ state: { resources: ['other'] } })
      wire.send({ type: 'state', state: { resources: ['talk'] } })
      const snapshot = await wire.take((one) => one.type === 'snapshot', 'snapshot')
      check(snapshot.seq >= wire.welcome.seq, `the snapshot has seq ${snapshot.seq}, the welcome ${wire.welcome.seq}`)
      same(
        [...wire.views.keys()].filter((key) => key.startsWith('resource/')),
        ['resource/talk'],
        'the resources of the new selection',
      )
      await write('talk')
      await wire.until(
        () => wire.received.some((one) => one.type === 'delta' && one.upserts.some((view) => view.name === 'talk')),
        'delta of the new selection',
      )
      wire.send({ type: 'state', state: null })
      await wire.take((one) => one.type === 'snapshot', 'snapshot of all')
      await agree(wire, await greet())
      await write('talk')
      await agree(wire, await greet())
    },
  },
  {
    name: 'state/none',
    says: 'A selection of a resource that does not exist is valid, and has the session alone.',
    async run({ greet, same }) {
      for (const resources of [[], ['no such resource'], ['__proto__', 'constructor']])
        same(
          [...(await greet({ state: { resources } })).views.keys()],
          ['session/session'],
          `the views for ${JSON.stringify(resources)}`,
        )
    },
  },
  {
    name: 'resume/deltas',
    says: 'A client that says epoch and seq gets what changed since, as `deltas` in place of `snapshot`.',
    async run({ greet, nudge, agree, same }) {
      const first = await greet()
      const { epoch } = first.welcome
      const [seq, kept] = [first.seq(), [...first.views]]
      first.close()
      await nudge()
      const second = await greet({ resume: { epoch, seq } })
      same(second.welcome.snapshot, undefined, 'the snapshot')
      same(second.welcome.deltas !== undefined, true, 'whether there are deltas')
      same(
        second.welcome.deltas.upserts.some((view) => view.kind === 'session'),
        true,
        'whether the deltas hold what changed meanwhile',
      )
      // what it had before, and what it is told since, is the state
      for (const [key, view] of kept) {
        const gone = second.welcome.deltas.removes.some(({ kind, name }) => `${kind}/${name}` === key)
        if (!second.views.has(key) && !gone) second.views.set(key, view)
      }
      await agree(second, await greet())
    },
  },
  {
    name: 'resume/selection',
    says: 'A resume with a state selection tells what changed of the selection, and nothing else.',
    needs: ['talk', 'other'],
    async run({ greet, write, same }) {
      const state = { resources: ['other'] }
      const first = await greet({ state })
      const { epoch } = first.welcome
      const seq = first.seq()
      first.close()
      await write('talk')
      await write('other')
      const { deltas } = (await greet({ state, resume: { epoch, seq } })).welcome
      same(
        [...new Set((deltas?.upserts ?? []).filter((view) => view.kind === 'resource').map((view) => view.name))],
        ['other'],
        'the resources',
      )
    },
  },
  {
    name: 'resume/other-epoch',
    says: 'Of another epoch, or from a seq that the daemon does not know, there is a snapshot.',
    async run({ greet, same }) {
      const { epoch, seq } = (await greet()).welcome
      const resumes = [{ epoch: `${epoch}x`, seq }, { epoch: '', seq: 0 }, { epoch, seq: seq + 1_000_000 }, { epoch }]
      for (const resume of resumes) {
        const { welcome } = await greet({ resume })
        same(
          [welcome.deltas, Array.isArray(welcome.snapshot)],
          [undefined, true],
          `deltas, and whether there is a snapshot, for ${JSON.stringify(resume)}`,
        )
      }
    },
  },
]
