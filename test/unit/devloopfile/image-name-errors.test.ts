// What is said of image names that cannot be used.
import { expect, test } from 'vitest'
import { devloopfile, project } from './project.js'

const errorsOf = (resources: string): Promise<string> =>
  project({ 'api/Dockerfile': 'FROM scratch', 'Devloopfile.ts': devloopfile('', resources) }).errors()

test('image names', async () => {
  const images = ['Shop/API', 'shop/api:1', 'localhost:5000/shop:1', 'ghcr.io/Shop', '--'].map(
    (name, index) => `app('a${index}', { image: image('${name}', { context: 'api' }) })`,
  )
  expect(await errorsOf(images.join(', '))).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:4:57
    image 'Shop/API': the name is no valid image repository.
    Received 'Shop/API'.
    -> For instance 'shop/api'.

    devloopfile/invalid at Devloopfile.ts:4:118
    image 'shop/api:1': the name must not hold a tag or digest.
    Received 'shop/api:1'.
    -> Use 'shop/api'; devloop makes a tag from the content.

    devloopfile/invalid at Devloopfile.ts:4:181
    image 'localhost:5000/shop:1': the name must not hold a tag or digest.
    Received 'localhost:5000/shop:1'.
    -> Use 'localhost:5000/shop'; devloop makes a tag from the content.

    devloopfile/invalid at Devloopfile.ts:4:255
    image 'ghcr.io/Shop': the name is no valid image repository.
    Received 'ghcr.io/Shop'.
    -> For instance 'ghcr.io/shop'.

    devloopfile/invalid at Devloopfile.ts:4:320
    image '--': the name is no valid image repository.
    Received '--'.
    -> Use lower-case letters and digits, with \`.\`, \`_\`, \`-\` and \`/\` between them."
  `)
})
