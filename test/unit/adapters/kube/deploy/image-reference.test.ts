import { expect, test } from 'vitest'
import { namesImage, parseImageReference } from '../../../../../src/adapters/kube/deploy/image-reference.js'

test.each([
  ['postgres', { registry: 'docker.io', repository: 'postgres' }],
  ['postgres:16', { registry: 'docker.io', repository: 'postgres', tag: '16' }],
  ['library/postgres', { registry: 'docker.io', repository: 'postgres' }],
  ['docker.io/library/postgres:16', { registry: 'docker.io', repository: 'postgres', tag: '16' }],
  ['index.docker.io/shop/api', { registry: 'docker.io', repository: 'shop/api' }],
  ['shop/api', { registry: 'docker.io', repository: 'shop/api' }],
  ['localhost/api:1', { registry: 'localhost', repository: 'api', tag: '1' }],
  ['localhost:5000/shop/api', { registry: 'localhost:5000', repository: 'shop/api' }],
  ['ghcr.io/library/api', { registry: 'ghcr.io', repository: 'library/api' }],
  ['Upper/api', { registry: 'Upper', repository: 'api' }],
  ['[::1]:5000/api:2', { registry: '[::1]:5000', repository: 'api', tag: '2' }],
  ['ghcr.io/acme/shop/api:v1@sha256:abc', { registry: 'ghcr.io', repository: 'acme/shop/api', tag: 'v1', digest: 'sha256:abc' }],
  ['api@sha256:abc', { registry: 'docker.io', repository: 'api', digest: 'sha256:abc' }],
])('%s is taken apart as Docker does', (text, expected) => {
  expect(parseImageReference(text)).toEqual(expected)
})

test.each([
  ['registry.example.com/shop/api:v1', 'shop/api', true],
  ['docker.io/library/api', 'api', true],
  ['api:latest', 'library/api', true],
  ['ghcr.io/acme/shop/api', 'shop/api', false],
  ['shop/api-v2', 'shop/api', false],
  ['localhost:5000/api', 'api', true],
])('%s names the declared image %s: %s', (reference, image, expected) => {
  expect(namesImage(reference, image)).toBe(expected)
})
