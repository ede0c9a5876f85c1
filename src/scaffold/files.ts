// The files that a plan leads to: Dockerfiles, what their contexts leave out, and the Devloopfile.
import { devloopfileText, type DevloopfileOptions } from './devloopfile-text.js'
import type { InitFile, InitPlan } from './plan-types.js'
import { inFolder, isWithin, pathWithin, type SourceTree } from './source-tree.js'

/** Name of the file that `devloop watch` looks for. */
export const devloopfileName = 'Devloopfile.ts'

/** What no image needs, whatever is in it; secrets first. */
const neverInImages = [
  ...['**/.env', '**/.env.*', '!**/.env.example', '**/*.pem', '**/*.key'],
  ...['**/.git', '**/.gitignore', '**/.gitattributes', '**/.github', '**/.idea', '**/.vscode', '**/.DS_Store', '**/*.log'],
  ...['**/Dockerfile*', '**/.dockerignore', '**/compose*.y*ml', '**/docker-compose*.y*ml', 'Devloopfile*.ts', '.devloop*'],
]

/** In the order in which they are told: Dockerfiles, .dockerignore files, the Devloopfile last. Files that are there are not among them. */
export function filesOf(tree: SourceTree, plan: InitPlan, options: DevloopfileOptions): readonly InitFile[] {
  const made = plan.components.flatMap(({ dockerfile: { path, text } }) => (text === undefined ? [] : [{ path, text }]))
  const contexts = [
    ...new Set(plan.components.filter(({ dockerfile }) => dockerfile.text !== undefined).map(({ context }) => context)),
  ]
  const ignores = contexts
    .map((context) => ({ path: inFolder(context, '.dockerignore'), text: dockerignoreText(context, plan) }))
    .filter(({ path }) => !tree.has(path))
  return [...made, ...ignores, { path: devloopfileName, text: devloopfileText(plan, options) }]
}

function dockerignoreText(context: string, { components, existing }: InitPlan): string {
  const users = components.filter((one) => one.context === context)
  const others = components.filter((one) => one.context !== context && one.folder !== context && isWithin(one.folder, context))
  const folders = [...others, ...existing.manifests, ...existing.charts, ...existing.kustomizations]
    .map(({ folder }) => folder)
    .filter((folder) => folder !== context && isWithin(folder, context))
  const lines = [
    '# Made by devloop init: what the image does not need. A change of it leads to nothing.',
    ...neverInImages,
    ...new Set(users.flatMap(({ ignore }) => ignore)),
    ...(folders.length > 0
      ? ['# other parts of the project', ...new Set(folders.map((folder) => pathWithin(folder, context)))]
      : []),
  ]
  return `${lines.join('\n')}\n`
}
