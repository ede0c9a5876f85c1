// Commands as people read them.
import type { Command } from '../model/plan.js'

export const commandText = (command: Command): string => (typeof command === 'string' ? command : command.join(' '))
