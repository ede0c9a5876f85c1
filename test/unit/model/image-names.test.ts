import { expect, test } from 'vitest'
import { familiarName, namesIn, rewrite } from '../../../src/model/image-names.js'

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const repository = new RegExp(`^[A-Za-z0-9.:-]+(?:/${component})+$`)
const tag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

test.each([
  ['gcr.io/foo/bar', 'myreg.com', 'myreg.com/gcr.io_foo_bar'],
  ['myreg.com/bar', 'myreg.com:5000', 'myreg.com:5000/myreg.com_bar'],
  ['myreg.com:5000/bar', 'myreg.com', 'myreg.com/myreg.com_5000_bar'],
  ['myreg.com/bar', 'myreg.com', 'myreg.com/bar'],
  ['myreg.com/team/bar', 'myreg.com/team', 'myreg.com/team/bar'],
  ['myreg.com/teams/bar', 'myreg.com/team', 'myreg.com/team/myreg.com_teams_bar'],
  ['shop/api', 'localhost:5000', 'localhost:5000/shop_api'],
  ['shop/api', 'docker.io/me', 'docker.io/me/shop_api'],
  ['docker.io/library/redis', 'myreg.com', 'myreg.com/redis'],
  ['docker.io/shop/api', 'myreg.com', 'myreg.com/shop_api'],
  ['MyReg.com/bar', 'other.com', 'other.com/myreg.com_bar'],
  ['a__b/_c', 'myreg.com', 'myreg.com/a__b__c'],
])('%s in %s is %s', (image, registry, expected) => {
  expect(rewrite(image, registry)).toBe(expected)
  expect(expected).toMatch(repository)
})

test.each([
  ['docker.io/library/redis', 'redis'],
  ['docker.io/shop/api', 'shop/api'],
  ['library/redis', 'redis'],
  ['library/deep/er', 'library/deep/er'],
  ['gcr.io/library/x', 'gcr.io/library/x'],
])('people write %s as %s', (image, familiar) => expect(familiarName(image)).toBe(familiar))

test('the name for pulling may be another than that for pushing', () => {
  expect(namesIn({ push: 'localhost:5000/dev', pull: 'registry.svc:5000/dev' }, 'shop/api', 'devloop-1')).toEqual({
    push: { repository: 'localhost:5000/dev/shop_api', tag: 'devloop-1' },
    pull: { repository: 'registry.svc:5000/dev/shop_api', tag: 'devloop-1' },
  })
})

test('one repository for all: the name stands in the tag', () => {
  const ecr = '1234.dkr.ecr.eu-west-1.amazonaws.com'
  const names = namesIn({ push: ecr, pull: ecr, singleName: 'team/dev' }, 'gcr.io/shop/api', 'devloop-0123')
  expect(names.push).toEqual({ repository: `${ecr}/team/dev`, tag: 'gcr.io_shop_api-devloop-0123' })
  expect(names.pull).toEqual(names.push)
})

test('long names are cut and stay different, in repositories and in tags', () => {
  const long = (end: string): string => `${'shop-'.repeat(60)}x/${end}`
  const host = 'registry.example.com/team'
  const both = [long('a'), long('b')]
  const repositories = both.map((name) => rewrite(name, host))
  expect(new Set(repositories).size).toBe(2)
  for (const one of repositories) {
    expect(one.length).toBeLessThanOrEqual(255)
    expect(one).toMatch(repository)
  }
  const tags = both.map(
    (name) => namesIn({ push: host, pull: host, singleName: 'dev' }, name, 'devloop-0123456789abcdef').push.tag,
  )
  expect(new Set(tags).size).toBe(2)
  for (const one of tags) {
    expect(one).toMatch(tag)
    expect(one).toMatch(/-devloop-0123456789abcdef$/)
  }
})
