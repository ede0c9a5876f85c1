// Containers that live sync cannot write into: each has one error, with what would help, and all operations on files arrive by builds.
import { expect, test } from 'vitest'
import { cells, noShell, row, synced, type Kind } from '../support/matrix.js'

const kinds: readonly Kind[] = [
  {
    name: 'no shell, and no agent',
    dockerfile: noShell,
    agent: false,
    blocked: {
      code: 'sync/no-shell',
      says: [
        'There is no shell (/bin/sh) in container main',
        '`settings.agent` is false',
        '`COPY --from=busybox:musl /bin/ /bin/`',
      ],
    },
  },
  {
    name: 'a shell without mv, and no agent',
    userland: 'gnu',
    dockerfile: 'RUN rm /bin/mv',
    agent: false,
    blocked: { code: 'sync/no-tool', says: ['no mv', '`COPY --from=busybox:musl /bin/busybox /bin/mv`'] },
  },
  {
    name: 'a read-only root',
    container: { securityContext: { readOnlyRootFilesystem: true } },
    blocked: { code: 'sync/read-only', says: [`${synced}/`, 'user 0', `mount a volume at ${synced}`] },
  },
  {
    name: 'a user who may not write there',
    dockerfile: 'USER 1000',
    // the files are those of root, and it must be able to read them
    mode: 0o664,
    blocked: { code: 'sync/permission', says: ['User 1000', `may not write ${synced}`, `\`RUN chown -R 1000 ${synced}\``] },
  },
  {
    name: 'a random user of group 0 whom nothing was given to',
    pod: { securityContext: { runAsUser: 1_000_680_000, runAsGroup: 0, runAsNonRoot: true } },
    mode: 0o664,
    blocked: { code: 'sync/permission', says: ['User 1000680000', `may not write ${synced}`, `\`RUN chgrp -R 0 ${synced}`] },
  },
]

test.each(kinds)(
  'all operations: $name',
  async (kind) => {
    expect(await row(kind)).toEqual(cells.slice(0, -1))
  },
  300_000,
)
