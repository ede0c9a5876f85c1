// Sites of plain files.
import { expect, test } from 'vitest'
import { makeBases } from '../../../src/scaffold/bases.js'
import { detectors } from '../../../src/scaffold/detectors.js'
import { sourceTreeOf } from '../../../src/scaffold/source-tree.js'

const find = (files: Readonly<Record<string, string>>, folder = '') => {
  const place = { tree: sourceTreeOf(files), folder, bases: makeBases(), ask: () => '' }
  return detectors.map((detect) => detect(place)).find((found) => found.length > 0)
}

test('pages may lie in the folder itself, or in its public', () => {
  const [own] = find({ 'index.html': '' }) ?? []
  expect(own?.live).toEqual([{ rule: 'sync', from: '.', to: '/usr/share/nginx/html' }])
  const [below] = find({ 'public/index.html': '' }) ?? []
  expect(below?.live).toEqual([{ rule: 'sync', from: 'public', to: '/usr/share/nginx/html' }])
  expect(below?.findings).toEqual([{ what: 'a site of plain files', proof: 'public/index.html' }])
})

test('its web server runs as any user on port 8080', () => {
  const [site] = find({ 'index.html': '' }) ?? []
  expect(site?.port?.number).toBe(8080)
  expect(site?.dockerfile.text).toContain('USER 1001\nEXPOSE 8080\nCMD ["nginx", "-g", "daemon off;"]')
})

test('without pages there is none', () => {
  expect(find({ 'readme.md': '' })).toBeUndefined()
})
