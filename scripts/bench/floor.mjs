// The floor: the least that writing into a container can cost, with nothing that a product needs. One stream is kept open;
// a shell in the container reads frames from it and answers each.
import { pack } from 'tar-stream'

const loop = (body) => ['sh', '-c', `while read -r n p; do ${body} && echo ok; done`]

/**
 * Files one by one, each written beside and renamed.
 * @param via as of `openExec`
 */
export async function openFileFloor(cluster, target, via) {
  const stream = await cluster.openExec(target, loop('head -c $n > $p.tmp && mv $p.tmp $p'), via)
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

/**
 * A program of the container, run a second time beside it: each file that is put ends it and starts it again.
 * @param program where it is copied to, from `from`; a file that is put there is another build of it
 * @param env what it runs with
 */
export async function openRestartFloor(cluster, target, { program, from, env }) {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const stream = await cluster.openExec(target, ['sh', '-c', restartLoop, 'floor', program, from, ...variables])
  return {
    async put(path, content) {
      stream.write(Buffer.concat([Buffer.from(`${content.length} ${path}\n`), content]))
      await stream.line()
    },
    close: stream.close,
  }
}

/** It ends with its input, and the program with it. */
const restartLoop = `program=$1
cp "$2" "$program"
shift 2
child=
end() { [ -z "$child" ] || { kill "$child"; wait "$child"; } 2>/dev/null; }
while read -r n p; do
  head -c "$n" > "$p.tmp" || exit
  [ "$p" != "$program" ] || chmod +x "$p.tmp"
  mv "$p.tmp" "$p"
  end
  env "$@" "$program" >/dev/null 2>&1 &
  child=$!
  echo ok
done
end`

async function packed(files) {
  const tar = pack()
  for (const [path, content] of files) tar.entry({ name: path }, content)
  tar.finalize()
  const chunks = []
  for await (const chunk of tar) chunks.push(chunk)
  return Buffer.concat(chunks)
}
