import { expect, test } from 'vitest'
import { looksSecret } from '../../../src/model/secret-names.js'

test('by a word of the name, unless another says that it is open; or by a password in an address', () => {
  const secret = [
    'PASSWORD',
    'DB_PASSWORD',
    'dbPassword',
    'GITHUB_TOKEN',
    'apiKey',
    'API_KEY',
    'tls.key',
    'client-secret',
    'PGPASS_pwd',
  ]
  const open = [
    'PUBLIC_KEY',
    'KEYBOARD',
    'TOKENIZER',
    'MONKEY',
    'TOKEN_URL',
    'PASSWORD_FILE',
    'AWS_ACCESS_KEY_ID',
    'PORT',
    'COMPASS',
    'KEY_PREFIX',
  ]
  expect(secret.filter((name) => !looksSecret(name))).toEqual([])
  expect(open.filter((name) => looksSecret(name))).toEqual([])
  const addresses = ['postgres://me:pw@db/shop', 'amqp://:pw@mq:5672', 'mongodb+srv://a:b@c/d?e=f']
  expect(addresses.filter((value) => !looksSecret('URL', value))).toEqual([])
  const plain = ['postgres://db/shop', 'http://me@host:80/', 'http://host:80/a@b', 'a:b@c', 'http://host/?x=a:b@c']
  expect(plain.filter((value) => looksSecret('URL', value))).toEqual([])
})
