// Many files of bytes that do not compress and are the same in every run, so that layers made of them are cached.
import { mkdir, writeFile } from 'node:fs/promises'
import { createCipheriv } from 'node:crypto'
import { join } from 'node:path'

export async function writeSeeded(folder, { files, bytes, perFolder }) {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16))
  const zeros = Buffer.alloc(bytes)
  for (let i = 0; i < files; i++) {
    const within = join(folder, `d${Math.floor(i / perFolder)}`)
    if (i % perFolder === 0) await mkdir(within, { recursive: true })
    await writeFile(join(within, `f${i % perFolder}.bin`), cipher.update(zeros))
  }
}
