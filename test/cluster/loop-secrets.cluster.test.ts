// A secret of a build is used, and stays where it is: in no image, output, status, log or file of devloop.
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appFiles, devloopfile, loop } from '../support/loop.js'

test('a secret of a build is used by it, and told to nobody', async () => {
  const secret = 'tok-5ecret-of-a-build'
  const steps = [
    'RUN --mount=type=secret,id=token,required echo "with $(cat /run/secrets/token)" && wc -c < /run/secrets/token > /app/length',
    'RUN --mount=type=secret,id=token,required test ! -e broken || { cat /run/secrets/token; exit 3; }',
  ]
  const one = await loop({
    devloopfile: (names) =>
      devloopfile()(names).replace("context: 'app',", "context: 'app', secrets: { token: { env: 'SHOP_TOKEN' } },"),
    // nothing of it comes out of the engine's cache
    files: {
      ...appFiles,
      'app/own.txt': randomUUID(),
      'app/Dockerfile': appFiles['app/Dockerfile']!.replace('CMD', `${steps.join('\n')}\nCMD`),
    },
    env: { SHOP_TOKEN: secret },
  })
  const watching = await one.begin()
  await one.answers('one')
  const [pod] = await one.pods()
  expect((await one.exec(pod!.name, ['cat', '/app/length'])).stdout.trim()).toBe(String(secret.length))
  expect(await told()).toContain('with ***')

  await one.save('app/broken', '')
  await watching.client.waitFor((views) => {
    const view = views.get(`image/${one.name}/web`)
    return view?.kind === 'image' && view.state === 'failed'
  })
  const text = await told()
  expect(text).toContain('failed with exit code 3')
  expect(text).not.toContain(secret)
  expect(text).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, ''))

  /** All that devloop shows and writes. */
  async function told(): Promise<string> {
    const shown = await Promise.all([one.devloop('status'), one.devloop('status', '--json'), one.devloop('logs')])
    const folder = one.env['XDG_STATE_HOME'] as string
    const names = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = names.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8'))
    return [watching.output(), ...shown.map(({ stdout, stderr }) => stdout + stderr), ...(await Promise.all(files))].join('\n')
  }
})
