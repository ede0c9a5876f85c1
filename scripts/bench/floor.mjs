// The floor: the least that writing into a container can cost, with nothing that a product needs. One stream is kept open;
// a shell in the container reads frames from it and answers each.
import { pack } from 'tar-stream'

const loop = (body) => ['sh', '-c', `while read -r n p; do ${body} && echo ok; done`]

/** Files one by one, each written beside and renamed. */
export async function openFileFloor(cluster, target) {
  const stream = await cluster.openExec(target, loop('head -c $n > $p.tmp && mv $p.tmp $p'))
  return {
    /** Resolves when the shell has said that it is done. */
    async put(path, content) {
      stream.write(Buffer.concat([Buffer.from(`${content.length} ${path}\n`), content]))
      await stream.line()
    },
    close: stream.close,
  }
}

/** Many files as one tar, extracted in place. */
export async function openTarFloor(cluster, target) {
  const stream = await cluster.openExec(target, loop('mkdir -p $p && head -c $n | tar -xf - -C $p'))
  return {
    async put(folder, files) {
      const archive = await packed(files)
      stream.write(Buffer.concat([Buffer.from(`${archive.length} ${folder}\n`), archive]))
      await stream.line()
    },
    close: stream.close,
  }
}

async function packed(files) {
  const tar = pack()
  for (const [path, content] of files) tar.entry({ name: path }, content)
  tar.finalize()
  const chunks = []
  for await (const chunk of tar) chunks.push(chunk)
  return Buffer.concat(chunks)
}
