// Which environment variables the sources of a component read, told from the words that languages have for it.
import { sourceFiles } from './find-text.js'
import { inFolder, type SourceTree } from './source-tree.js'

export interface Variable {
  readonly name: string
  /** The file that reads or names it. */
  readonly proof: string
  /** What an example of the environment has for it. */
  readonly example?: string
}

const endings = [
  ...[
    '.js',
    '.mjs',
    '.cjs',
    '.ts',
    '.mts',
    '.cts',
    '.jsx',
    '.tsx',
    '.vue',
    '.svelte',
    '.py',
    '.go',
    '.rs',
    '.rb',
    '.erb',
    '.php',
  ],
  ...['.java', '.kt', '.cs', '.properties', '.yml', '.yaml', '.prisma', '.toml'],
]

const name = '([A-Z][A-Z0-9_]{2,})'
const readings: readonly RegExp[] = [
  new RegExp(`\\bprocess\\.env\\.${name}\\b`, 'g'),
  new RegExp(`\\b(?:process\\.env|Bun\\.env|os\\.environ|ENV|\\$_ENV|\\$_SERVER)\\[\\s*["']${name}["']`, 'g'),
  new RegExp(`\\b(?:Bun\\.env|import\\.meta\\.env)\\.${name}\\b`, 'g'),
  new RegExp(
    `\\b(?:os\\.environ\\.get|os\\.getenv|getenv|Getenv|LookupEnv|env|config|ENV\\.fetch|env::var|env::var_os|std::env::var|GetEnvironmentVariable|requireEnv|getEnv)\\(\\s*["']${name}["']`,
    'g',
  ),
  // Spring's properties, and others that fill in variables
  new RegExp(`\\$\\{${name}(?::[^}]*)?\\}`, 'g'),
]
/** `const { A, B: b = 1 } = process.env` */
const destructuring = /\{([^{}]*)\}\s*=\s*process\.env\b/g

/**
 * In the order of their names. Those of tests are left out.
 * @param sources files to search. Default: those of the folder
 */
export function variablesOf(
  tree: SourceTree,
  folder: string,
  told: readonly { readonly name: string; readonly proof: string }[] = [],
  sources = sourceFiles(tree, folder, endings),
): readonly Variable[] {
  const found = new Map<string, Variable>()
  const add = (variable: Variable): void => {
    const known = found.get(variable.name)
    if (!known) found.set(variable.name, variable)
    else if (known.example === undefined && variable.example !== undefined)
      found.set(known.name, { ...known, example: variable.example })
  }
  for (const variable of told) add(variable)
  for (const proof of sources) {
    const text = tree.read(proof) ?? ''
    for (const reading of readings)
      for (const [, variable] of text.matchAll(reading)) if (variable) add({ name: variable, proof })
    for (const [, list = ''] of text.matchAll(destructuring))
      for (const [, variable] of list.matchAll(new RegExp(`(?:^|,)\\s*${name}\\b`, 'g')))
        if (variable) add({ name: variable, proof })
  }
  for (const file of ['.env.example', '.env.sample', '.env.template', '.env.dist']) {
    const proof = inFolder(folder, file)
    for (const [, variable = '', example = ''] of (tree.read(proof) ?? '').matchAll(
      /^(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=[ \t]*(.*)$/gm,
    ))
      add({ name: variable, proof, example: example.trim().replace(/^(["'])(.*)\1$/, '$2') })
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
