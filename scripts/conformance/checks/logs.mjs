// "Logs": selections by id, cursors, tails and filters; nothing is missing without being counted.

/** The messages of a selection until there is nothing more. */
async function whole(wire, id = 0) {
  const messages = []
  for (;;) {
    messages.push(await wire.take((one) => one.type === 'log' && one.id === id, `log message of selection ${id}`))
    if (messages.at(-1).caughtUp) return messages
  }
}
const linesOf = (messages) => messages.flatMap((one) => one.lines)
const textsOf = (messages) => linesOf(messages).map((line) => line.text)

/** All that is wrong with the order of messages of one selection. */
function disorder(messages, after = 0) {
  let last = after
  for (const { lines, cursor } of messages) {
    for (const line of lines) {
      if (line.cursor <= last) return `cursor ${line.cursor} after ${last}`
      last = line.cursor
    }
    if (cursor < last) return `a message with cursor ${cursor}, and a line of cursor ${last}`
    last = cursor
  }
  return undefined
}

/** A connection that follows logs from the start of the check, by its hello. */
const follow = (greet, logs) => greet({ topics: ['logs'], logs })

export const checks = [
  {
    name: 'logs/answered',
    says: 'At least one message follows each new selection, if need be with no lines.',
    async run({ greet, same }) {
      const wire = await greet({ topics: ['logs'] })
      same(linesOf(await whole(wire)), [], 'the lines of the selection without a tail')
      wire.send({ type: 'logs', id: 3, logs: { resources: ['no such resource'], tail: 10 } })
      same(
        (await whole(wire, 3)).map(({ lines, dropped }) => [lines, dropped]),
        [[[], 0]],
        'lines and dropped of a resource that does not exist',
      )
      wire.send({ type: 'logs', id: 3, logs: { resources: [], after: 0 } })
      same(linesOf(await whole(wire, 3)), [], 'the lines of no resource')
    },
  },
  {
    name: 'logs/tail',
    says: '`tail` begins with so many of the newest lines, oldest first.',
    needs: ['talk'],
    async run({ greet, write, same }) {
      await write('talk')
      const all = linesOf(await whole(await follow(greet, { resources: ['talk'], after: 0 })))
      const messages = await whole(await follow(greet, { resources: ['talk'], tail: 5 }))
      same(
        linesOf(messages).map((line) => line.cursor),
        all.slice(-5).map((line) => line.cursor),
        'the cursors',
      )
      same(disorder(messages), undefined, 'the order')
    },
  },
  {
    name: 'logs/all-that-is-kept',
    says: 'Lines come in order of cursor; `after: 0` gives all that is kept, and `dropped` counts the others.',
    needs: ['talk'],
    async run({ greet, write, same }) {
      await write('talk')
      const messages = await whole(await follow(greet, { after: 0 }))
      same(disorder(messages), undefined, 'the order')
      const missed = messages.reduce((sum, one) => sum + one.dropped, 0)
      // cursors count over all resources, so lines and dropped ones together are as many
      same(linesOf(messages).length + missed, messages.at(-1).cursor, 'lines and dropped lines, beside the last cursor')
    },
  },
  {
    name: 'logs/goes-on',
    says: 'With the cursor of a message as `after`, nothing is missing and nothing comes twice.',
    needs: ['talk'],
    async run({ greet, write, same }) {
      const first = await follow(greet, { resources: ['talk'], tail: 3 })
      const { cursor } = (await whole(first)).at(-1)
      const { epoch } = first.welcome
      first.close()
      await write('talk')
      const second = await greet({ topics: ['logs'], resume: { epoch }, logs: { resources: ['talk'], after: cursor } })
      const messages = await whole(second)
      same(textsOf(messages).filter((text) => text.startsWith('talk ')).length, 40, 'the lines since then')
      same(disorder(messages, cursor), undefined, 'the order')
      // the same within one connection
      second.send({ type: 'logs', id: 2, logs: { resources: ['talk'], after: cursor } })
      same(linesOf(await whole(second, 2)), linesOf(messages), 'the lines of a second selection from there')
    },
  },
  {
    name: 'logs/follows',
    says: 'After the beginning come the lines as they are written, each once.',
    needs: ['talk', 'other'],
    async run({ greet, write, same }) {
      const wire = await follow(greet, { resources: ['talk'] })
      await whole(wire)
      await write('other')
      await write('talk')
      const lines = () => linesOf(wire.received.filter((one) => one.type === 'log'))
      await wire.until(() => lines().filter((line) => line.text.startsWith('talk ')).length >= 40, '40 lines')
      same(
        lines()
          .filter((line) => line.text.startsWith('talk '))
          .map((line) => Number.parseInt(line.text.slice(5), 10)),
        Array.from({ length: 40 }, (_, i) => i + 1),
        'the lines',
      )
      same([...new Set(lines().map((line) => line.resource))], ['talk'], 'the resources')
    },
  },
  {
    name: 'logs/selections',
    says: 'A client has up to 16 selections, by id; another of the same id replaces it, and null ends it.',
    needs: ['talk', 'other'],
    async run({ greet, write, same, check }) {
      const wire = await greet({ topics: [] })
      for (let id = 0; id < 16; id++) wire.send({ type: 'logs', id, logs: { resources: [id % 2 ? 'talk' : 'other'] } })
      for (let id = 0; id < 16; id++) await whole(wire, id)
      wire.send({ type: 'logs', id: 16, logs: {} })
      same(
        (await wire.take((one) => one.type === 'error', 'error for the 17th selection')).error.code,
        'protocol/invalid',
        'the code',
      )
      wire.send({ type: 'logs', id: 1, logs: null })
      wire.send({ type: 'logs', id: 3, logs: { resources: ['other'] } })
      await wire.settled()
      const mark = wire.received.length
      await write('talk')
      await write('other')
      const since = (id) => linesOf(wire.received.slice(mark).filter((one) => one.type === 'log' && one.id === id))
      await wire.until(
        () => [3, 4, 5].every((id) => since(id).some((line) => /^(talk 40|other 5)$/.test(line.text))),
        'lines of all selections',
      )
      same(since(1), [], 'lines of the selection that was ended')
      same([...new Set(since(3).map((line) => line.resource))], ['other'], 'the resources of the selection that was replaced')
      check(
        since(5).every((line) => line.resource === 'talk'),
        'selection 5 has lines of another resource',
      )
      // there is room for one again
      wire.send({ type: 'logs', id: 16, logs: {} })
      await whole(wire, 16)
    },
  },
  {
    name: 'logs/id-is-0',
    says: 'The id is 0 where none is given, and in every log message.',
    async run({ greet, same }) {
      const wire = await greet({ topics: [] })
      wire.send({ type: 'logs', logs: { tail: 1 } })
      same((await wire.take((one) => one.type === 'log', 'log message')).id, 0, 'the id')
    },
  },
  {
    name: 'logs/text',
    says: '`text` selects lines with this text in them, in whatever case.',
    needs: ['talk'],
    async run({ greet, write, same, check }) {
      await write('talk')
      const found = textsOf(await whole(await follow(greet, { resources: ['talk'], after: 0, text: 'nEEdle' })))
      check(found.length > 0, 'no line was found')
      same([...new Set(found)], ['talk 20 NeeDle'], 'the lines')
      // the newest of those that are selected, not the selected of the newest
      same(
        textsOf(await whole(await follow(greet, { resources: ['talk'], tail: 1, text: 'needle' }))),
        ['talk 20 NeeDle'],
        'the tail of the selected lines',
      )
      same(
        textsOf(await whole(await follow(greet, { after: 0, text: '.*' }))),
        [],
        'the lines with a text that would be a pattern',
      )
    },
  },
  {
    name: 'logs/level',
    says: '`level` selects lines of this level and those above it.',
    needs: ['fails'],
    async run({ greet, write, same, check }) {
      await write('fails')
      const levels = async (level) =>
        new Set(linesOf(await whole(await follow(greet, { resources: ['fails'], after: 0, level }))).map((line) => line.level))
      same([...(await levels('error'))], ['error'], 'the levels from error')
      const all = await levels('info')
      check(all.has('info') && all.has('error'), `the levels from info are ${[...all].join(' ')}`)
      same((await levels('warn')).has('info'), false, 'whether info comes with warn')
    },
  },
  {
    name: 'logs/since',
    says: '`since` selects lines of this time or later.',
    needs: ['talk'],
    async run({ greet, write, same, check }) {
      await write('talk')
      const lines = linesOf(await whole(await follow(greet, { resources: ['talk'], after: 0 })))
      const since = lines.at(-1).at
      const found = linesOf(await whole(await follow(greet, { resources: ['talk'], since })))
      check(found.length > 0, 'no line came')
      same(
        found.map((line) => line.cursor),
        lines.filter((line) => line.at >= since).map((line) => line.cursor),
        'the cursors',
      )
      same(linesOf(await whole(await follow(greet, { since: Date.now() + 3_600_000 }))), [], 'the lines of the next hour')
    },
  },
  {
    name: 'logs/sources',
    says: '`sources` selects lines by where they come from; `*` stands for any text.',
    needs: ['talk'],
    async run({ greet, write, same, check }) {
      await write('talk')
      const lines = linesOf(await whole(await follow(greet, { resources: ['talk'], after: 0 })))
      const source = lines.find((line) => line.text.startsWith('talk ')).source
      for (const sources of [[source], [`${source.slice(0, 1)}*`, 'none'], ['*']]) {
        const found = linesOf(await whole(await follow(greet, { resources: ['talk'], after: 0, sources })))
        check(found.length > 0, `no line came for ${JSON.stringify(sources)}`)
        if (!sources.includes('*'))
          same(
            found.filter((line) => !line.source.startsWith(source.slice(0, 1))),
            [],
            `lines of other sources for ${JSON.stringify(sources)}`,
          )
      }
      same(linesOf(await whole(await follow(greet, { after: 0, sources: ['no such source'] }))), [], 'the lines of no source')
    },
  },
  {
    name: 'logs/other-epoch',
    says: 'After a change of epoch `after` is disregarded, and all that the daemon has kept is sent.',
    needs: ['talk'],
    async run({ greet, write, same, check }) {
      await write('talk')
      const wire = await greet({
        topics: ['logs'],
        resume: { epoch: 'of another daemon', seq: 4 },
        logs: { resources: ['talk'], after: 1_000_000_000 },
      })
      const messages = await whole(wire)
      check(textsOf(messages).includes('talk 40'), 'the lines of before did not come')
      same(disorder(messages), undefined, 'the order')
    },
  },
  {
    name: 'logs/dropped',
    says: '`dropped` says how many selected lines are missing before these; a message has at most 500 lines or about 128 KiB.',
    needs: ['flood'],
    async run({ greet, write, same, check }) {
      const wire = await follow(greet, { resources: ['flood'] })
      await write('flood')
      const mine = () => wire.received.filter((one) => one.type === 'log')
      await wire.until(
        () => mine().some((one) => one.lines.some((line) => line.text.startsWith('flood 60000 '))),
        'the last line',
        60_000,
      )
      const lines = linesOf(mine()).filter((line) => line.text.startsWith('flood '))
      const dropped = mine().reduce((sum, one) => sum + one.dropped, 0)
      // lines that devloop says of the run itself may be among the dropped ones
      check(
        lines.length + dropped >= 60_000 && lines.length + dropped <= 60_010,
        `${lines.length} lines and ${dropped} dropped of 60,000`,
      )
      const late = await whole(await follow(greet, { resources: ['flood'], after: 0 }))
      const [kept, missed] = [linesOf(late).length, late.reduce((sum, one) => sum + one.dropped, 0)]
      check(kept > 0 && missed > 0, `${kept} lines are kept and ${missed} counted as dropped, of more than the daemon keeps`)
      const largest = Math.max(...[...late, ...mine()].map((one) => one.lines.length))
      check(largest <= 500, `a message has ${largest} lines`)
      const bytes = Math.max(...[...late, ...mine()].map((one) => JSON.stringify(one).length))
      check(bytes <= 256 * 1024, `a message has ${bytes} bytes`)
      same(disorder(late), undefined, 'the order')
    },
  },
  {
    name: 'logs/wrong',
    says: 'A selection that is not valid gets one error, and the one before goes on.',
    needs: ['talk'],
    async run({ greet, write, same }) {
      const wire = await follow(greet, { resources: ['talk'] })
      await whole(wire)
      const wrong = [
        { tail: -1 },
        { tail: 1.5 },
        { after: '1' },
        { resources: 'talk' },
        { level: 'loud' },
        { text: 7 },
        { sources: [1] },
        { text: 'x'.repeat(1_001) },
        5,
      ]
      for (const logs of wrong) {
        wire.send({ type: 'logs', logs })
        same(
          (await wire.take((one) => one.type === 'error', `error for ${JSON.stringify(logs).slice(0, 40)}`)).error.code,
          'protocol/invalid',
          'the code',
        )
      }
      await write('talk')
      await wire.until(
        () => linesOf(wire.received.filter((one) => one.type === 'log')).some((line) => line.text === 'talk 40'),
        'lines of the selection',
      )
      same(wire.received.filter((one) => one.type === 'error').length, wrong.length, 'the number of errors')
    },
  },
]
