// Pieces that the Dockerfiles of all kinds share. They build by the classic builder too: no `# syntax=`, no mounts, no heredocs.

/** First line of a generated Dockerfile: by it, `devloop init` knows its own work again. */
export const generatedMark = '# Made by devloop init. It is yours: change what you like, and it is kept.'

/** The user of generated images: a number, so that Kubernetes can see that it is not root, without an entry in passwd. */
export const imageUser = '1001'

/** A command in exec form: it gets signals itself. */
export const execForm = (argv: readonly string[]): string => `[${argv.map((part) => JSON.stringify(part)).join(', ')}]`

/**
 * A shell command that gives group 0 the rights of the owner, below the working folder: clusters such as OpenShift run containers as a user
 * of their own choice with group 0, and live sync writes as that user.
 * @param except folders that have these rights already; a changed mode would copy them into one more layer
 */
export function shareWithGroup(except: readonly string[] = []): string {
  if (except.length === 0) return 'chgrp -R 0 . && chmod -R g=u .'
  const paths = except.map((path) => `-path ./${path}`).join(' -o ')
  const skipped = except.length === 1 ? paths : `\\( ${paths} \\)`
  return `find . ${skipped} -prune -o -exec chgrp 0 {} + -exec chmod g=u {} +`
}

/** Lines of a stage that only say something: left out when undefined. */
export type Line = string | undefined

/** A Dockerfile of stages, each with a comment before it. */
export function dockerfileOf(stages: readonly { readonly why?: string; readonly lines: readonly Line[] }[]): string {
  const parts = stages.map(({ why, lines }) =>
    [...(why === undefined ? [] : [`# ${why}`]), ...lines.filter((line) => line !== undefined)].join('\n'),
  )
  return `${[generatedMark, ...parts].join('\n\n')}\n`
}

/** The end of a stage that runs: user, port, command. */
export const runs = (argv: readonly string[], port: number | undefined): readonly Line[] => [
  `USER ${imageUser}`,
  port === undefined ? undefined : `EXPOSE ${port}`,
  `CMD ${execForm(argv)}`,
]
