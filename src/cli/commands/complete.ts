// `devloop complete`, which the scripts of `devloop completion` ask: what can stand at the cursor, a word a line with its description.
import type { Command } from 'commander'
import { harmless } from '../../client/status/harmless.js'
import { completeWords } from '../completion/complete-words.js'
import { liveNames, liveProjects } from '../completion/live-names.js'
import { pathLines } from '../completion/scripts.js'
import { exitCodes } from '../exit.js'

/** @param words what stands behind `devloop`, up to the cursor */
export async function complete(program: Command, words: readonly string[]): Promise<number> {
  const { candidates, paths } = await completeWords(program, words, {
    live: liveNames,
    projects: liveProjects,
    contexts: async () => (await import('../../scaffold/current-context.js')).contextNames(process.env),
  })
  const lines = candidates.map(({ value, description }) =>
    [value, ...(description ? [description.split('\n')[0]!] : [])].map(harmless).join('\t'),
  )
  for (const line of [...lines, ...(paths ? [pathLines[paths]] : [])]) process.stdout.write(`${line}\n`)
  return exitCodes.ok
}
