import { expect, test } from 'vitest'
import { findImagePath, imageReferencesOf, otherImagePlaces } from '../../../src/model/image-places.js'
import type { ImageField, KubeObject } from '../../../src/model/plan.js'

const custom = (spec: object): KubeObject => ({ apiVersion: 'ci.test/v1', kind: 'Runner', metadata: { name: 'r' }, spec })

const replaced = (object: KubeObject, field: Omit<ImageField, 'kind'>, reference: string): unknown => {
  const places = otherImagePlaces(object, { images: [], imageFields: [{ kind: 'Runner', ...field }] })
  for (const place of places) place.set(reference)
  return [places.map((place) => place.reference), object.spec]
}

test('a field told by its path', () => {
  expect(replaced(custom({ image: 'a:1' }), { path: 'spec.image' }, 'r/a:2')).toEqual([['a:1'], { image: 'r/a:2' }])
  const steps = custom({ steps: [{ image: 'a' }, { other: 1 }, { image: 'b:1' }] })
  expect(replaced(steps, { path: 'spec.steps[*].image' }, 'r/x:2')).toEqual([
    ['a', 'b:1'],
    { steps: [{ image: 'r/x:2' }, { other: 1 }, { image: 'r/x:2' }] },
  ])
  expect(replaced(custom({ images: ['a', 7, 'b'] }), { path: 'spec.images[*]' }, 'x')).toEqual([
    ['a', 'b'],
    { images: ['x', 7, 'x'] },
  ])
  expect(replaced(custom({ image: { name: 'a' } }), { path: 'spec.image' }, 'x')).toEqual([[], { image: { name: 'a' } }])
  expect(replaced(custom({}), { path: 'spec.none.such' }, 'x')).toEqual([[], {}])
})

test('a reference in two halves', () => {
  const split = { path: 'spec.image', repository: 'repo', tag: 'tag' }
  const object = custom({ image: { repo: 'docker.io/a', tag: 1.5 } })
  expect(replaced(object, split, 'r:5000/a:devloop-1')).toEqual([
    ['docker.io/a:1.5'],
    { image: { repo: 'r:5000/a', tag: 'devloop-1' } },
  ])
  expect(replaced(custom({ image: { repo: 'a' } }), split, 'r/a@sha256:1')).toEqual([
    ['a'],
    { image: { repo: 'r/a', tag: 'sha256:1' } },
  ])
  // the whole in one half
  expect(replaced(custom({ image: { repo: 'a' } }), { path: 'spec.image', repository: 'repo' }, 'r/a:1')).toEqual([
    ['a'],
    { image: { repo: 'r/a:1' } },
  ])
})

test('only objects of the kind, and of the version that is asked for', () => {
  const use = (field: ImageField) => otherImagePlaces(custom({ image: 'a' }), { images: [], imageFields: [field] }).length
  expect(use({ kind: 'Runner', path: 'spec.image' })).toBe(1)
  expect(use({ kind: 'Other', path: 'spec.image' })).toBe(0)
  expect(use({ kind: 'Runner', apiVersion: 'ci.test/v1', path: 'spec.image' })).toBe(1)
  expect(use({ kind: 'Runner', apiVersion: 'ci.test/v2', path: 'spec.image' })).toBe(0)
})

test('containers, init containers and, where asked, variables', () => {
  const env = [
    { name: 'WORKER', value: 'w:1' },
    { name: 'OTHER', value: 'o:1' },
    { name: 'REF', valueFrom: {} },
  ]
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: {
      initContainers: [{ name: 'i', image: 'i:1' }],
      containers: [{ name: 'm', image: 'm:1', env }],
      ephemeralContainers: [{ image: 'e' }],
    },
  }
  expect(imageReferencesOf(pod, { images: [] })).toEqual(['i:1', 'm:1'])
  expect(imageReferencesOf(pod, { images: [], imageEnv: true })).toEqual(['i:1', 'm:1', 'w:1', 'o:1'])
  expect(imageReferencesOf(pod, { images: [], imageEnv: ['WORKER'] })).toEqual(['i:1', 'm:1', 'w:1'])
})

test('where else an image stands', () => {
  const object = custom({ steps: [{ name: 'x' }, { run: { image: 'a:1' } }] })
  expect(findImagePath(object, (reference) => reference === 'a:1')).toBe('spec.steps[*].run.image')
  expect(findImagePath(object, () => false)).toBeUndefined()
})
