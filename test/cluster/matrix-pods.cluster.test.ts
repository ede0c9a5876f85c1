// Live sync by what a pod allows its containers: all operations on files in each.
import { expect, test } from 'vitest'
import { cells, onVolume, row, type Kind } from '../support/matrix.js'

const bare = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
const volume = onVolume()

const kinds: readonly Kind[] = [
  {
    name: 'a random user of group 0',
    dockerfile: 'RUN chgrp -R 0 /app && find /app -type d -exec chmod g+rwx {} +',
    pod: { securityContext: { runAsUser: 1_000_680_000, runAsGroup: 0, runAsNonRoot: true } },
    container: { securityContext: bare },
  },
  {
    name: 'a namespace that enforces "restricted"',
    dockerfile: 'RUN chown -R 1000:1000 /app\nUSER 1000',
    labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    pod: { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
    container: { securityContext: bare },
  },
  { name: 'a process namespace that the pod shares', pod: { shareProcessNamespace: true } },
  { name: 'two containers of the image', containers: ['left', 'right'] },
  {
    name: 'a read-only root and a volume',
    ...volume,
    container: { ...volume.container, securityContext: { readOnlyRootFilesystem: true } },
  },
  {
    name: 'a disk of 1 MB',
    ...onVolume({ medium: 'Memory', sizeLimit: '1Mi' }),
    fails: { '20 MB': 'sync/disk-full', '1,000 files': 'sync/disk-full' },
  },
]

test.each(kinds)(
  'all operations: $name',
  async (kind) => {
    expect(await row(kind)).toEqual(cells)
  },
  180_000,
)
