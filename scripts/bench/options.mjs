// The command line of the bench.
import { parseArgs } from 'node:util'

export const usage = `npm run bench -- [options]

  --only NAMES      these sections alone, separated by commas: save, save-loaded, restart, reload, rebuild, rebuild-big, start,
                    many, big-file, pods, far, restart-go, idle, large, hundred, process, page, slow-client,
                    clients, idle-clients
  --quick           few repetitions and short waits: to see that it works, not to judge by
  --large           also 50,000 watched files (250 MB): start, saves, idle memory
  --hundred         also 100 resources beside kubectl
  --slow-client     also the client that reads nothing for a minute
  --clients         also 20 clients while much happens
  --idle-clients    also idle with page, terminal view and an editor's client
  --all             all of it
  --json FILE       write the figures as JSON into FILE; - = to standard output instead of the table
  --profile FOLDER  run the daemon with --cpu-prof into FOLDER
  --dist FOLDER     the built product to measure; default: dist of this checkout
  --keep            leave projects and the daemon's logs in place, and say where they are
`

const byDefault = [
  'save',
  'save-loaded',
  'restart',
  'reload',
  'rebuild',
  'rebuild-big',
  'start',
  'many',
  'big-file',
  'pods',
  'far',
  'restart-go',
  'idle',
  'process',
  'page',
]
/** Long ones, each with an option of its own. */
const onDemand = ['large', 'hundred', 'slow-client', 'clients', 'idle-clients']
export const allSections = [...byDefault, ...onDemand]

/** @throws with a message for people when the arguments make no sense */
export function readOptions(argv) {
  const flag = { type: 'boolean', default: false }
  const text = { type: 'string' }
  const { values } = parseArgs({
    args: argv,
    options: {
      only: text,
      quick: flag,
      large: flag,
      hundred: flag,
      'slow-client': flag,
      clients: flag,
      'idle-clients': flag,
      all: flag,
      json: text,
      profile: text,
      dist: text,
      keep: flag,
      help: flag,
    },
  })
  const sections = values.only
    ? values.only.split(',').map((name) => name.trim())
    : values.all
      ? allSections
      : [...byDefault, ...onDemand.filter((name) => values[name])]
  const unknown = sections.find((name) => !allSections.includes(name))
  if (unknown !== undefined) throw new Error(`there is no section ${unknown}; there are ${allSections.join(', ')}`)
  return { ...values, sections: allSections.filter((name) => sections.includes(name)) }
}
