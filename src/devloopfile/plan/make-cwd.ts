// `cwd`: the working folder of a command.
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Encoded } from '../declaration.js'
import { string, type Subject } from './fields.js'
import type { PlanWork } from './work.js'

/** The absolute path; that there is no such folder is reported. */
export async function makeCwd(work: PlanWork, subject: Subject, value: Encoded): Promise<string> {
  const cwd = resolve(dirname(subject.at.file), string(subject, 'cwd', value) ?? '.')
  if (!(await stat(cwd).catch(() => undefined))?.isDirectory()) {
    work.globs.push({ base: cwd, pattern: '*' })
    const message = `${subject.name}: there is no folder for \`cwd\`.`
    const help = 'Correct `cwd`: it is relative to the file that this call stands in.'
    work.problems.add('devloopfile/file', { message, why: `It was looked for at ${cwd}.`, at: subject.at, help })
  }
  return cwd
}
