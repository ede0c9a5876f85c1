// A server that gives tokens for a registry, as the distribution specification describes: by password, or by an identity token.
import { createPrivateKey, createSign, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Issued } from './certificates.js'

export interface TokenUser {
  readonly name: string
  readonly password: string
  /** Refresh token, as `docker login` gets one. */
  readonly identityToken: string
  /** What it may do with a repository, such as `['pull']`. */
  readonly may: (repository: string) => readonly string[]
}

export interface TokenServer {
  /** For the registry's configuration. */
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** What was asked for: by whom, how, and for which scope. */
  readonly asked: {
    readonly user: string | undefined
    readonly by: 'password' | 'identity token' | 'nobody'
    readonly scope: string
  }[]
  close(): Promise<void>
}

const service = 'devloop-test'

/** @param host where it is reached, an address of this machine in the certificate */
export async function startTokenServer(host: string, certificate: Issued, users: readonly TokenUser[]): Promise<TokenServer> {
  const [cert, key] = await Promise.all([readFile(certificate.cert, 'utf8'), readFile(certificate.key, 'utf8')])
  const asked: TokenServer['asked'] = []
  const chain = [cert.replaceAll(/-----[A-Z ]+-----|\s/g, '')]
  const privateKey = createPrivateKey(key)

  const sign = (user: TokenUser | undefined, scopes: readonly string[]): string => {
    const access = scopes.flatMap((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':')
      const granted = user ? actions.split(',').filter((action) => user.may(name).includes(action)) : []
      return granted.length > 0 ? [{ type, name, actions: granted }] : []
    })
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: service,
      sub: user?.name ?? '',
      aud: service,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    }
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ typ: 'JWT', alg: 'RS256', x5c: chain })}.${part(claims)}`
    return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey).toString('base64url')}`
  }

  const server = https.createServer({ cert, key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://token.test')
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const form = new URLSearchParams(body)
      const given = request.method === 'POST' ? form : url.searchParams
      const scopes = given.getAll('scope').flatMap((scope) => scope.split(' '))
      const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1]
      const [name, password] = basic ? Buffer.from(basic, 'base64').toString('utf8').split(/:(.*)/s) : []
      const refresh = form.get('refresh_token')
      const byForm = form.get('grant_type') === 'password' ? [form.get('username'), form.get('password')] : undefined
      const [who, secret] = byForm ?? [name, password]
      const user = refresh
        ? users.find((one) => one.identityToken === refresh)
        : users.find((one) => one.name === who && one.password === secret)
      const by = refresh ? 'identity token' : who ? 'password' : 'nobody'
      asked.push({ user: user?.name, by, scope: scopes.join(' ') })
      const answer = (status: number, content: object): void =>
        void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(content))
      if (by !== 'nobody' && !user) return answer(401, { details: 'incorrect username or password' })
      const token = sign(user, scopes)
      answer(200, { token, access_token: token, expires_in: 300, issued_at: new Date().toISOString() })
    })
  })
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  return {
    realm: `https://${host}:${(server.address() as AddressInfo).port}/token`,
    service,
    issuer: service,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
