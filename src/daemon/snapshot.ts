// The page with data in it instead of a daemon behind it, as one file that opens anywhere and asks nobody for anything.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DevloopError } from '../errors/devloop-error.js'
import { frozenElementId, type FrozenPage } from '../protocol/frozen-page.js'
import { findPageFolder } from '../server/page-files.js'
import { createSecretMask } from '../store/secret-mask.js'
import { knownSecrets } from './dump/known-secrets.js'
import { redactText, redactValue } from './dump/redact.js'

/**
 * The daemon has taken out values of Secrets; what else this machine holds to be secret, or looks like it, is taken out here.
 * @returns HTML
 * @throws DevloopError report/write where devloop was built without the page
 */
export async function makeSnapshot(page: FrozenPage): Promise<string> {
  const folder = findPageFolder()
  if (folder === undefined)
    throw new DevloopError('report/write', 'This devloop came without its page.', { help: 'Build it: npm run build' })
  const [html = '', script = '', style = ''] = await Promise.all(
    ['index.html', 'page.js', 'page.css'].map((name) => readFile(join(folder, name), 'utf8')),
  )
  const mask = createSecretMask()
  mask.add(await knownSecrets(process.env))
  return inOneFile({ html, script, style }, redactValue(page, (text) => redactText(mask.text(text))) as FrozenPage)
}

/** @param files the built page: HTML with one script and one style sheet */
export function inOneFile(
  { html, script, style }: { readonly html: string; readonly script: string; readonly style: string },
  page: FrozenPage,
): string {
  // neither may end its element
  const code = script.replaceAll(/<(?=\/script|!--)/gi, String.raw`\x3c`)
  const css = style.replaceAll(/<(?=\/style)/gi, String.raw`\3c `)
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(code)}'`,
    `style-src '${hashOf(css)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const data = JSON.stringify(page).replaceAll('<', String.raw`\u003c`)
  const frozen = `<script type="application/json" id="${frozenElementId}">${data}</script>`
  let found = 0
  const whole = html
    .replace(/<link\b[^>]*\bhref="[^"]*page\.css"[^>]*>/, () => (found++, `<style>${css}</style>`))
    .replace(
      /<script\b[^>]*\bsrc="[^"]*page\.js"[^>]*><\/script>/,
      () => (found++, `${frozen}<script type="module">${code}</script>`),
    )
    // before anything that it is about
    .replace(
      /<meta charset="[^"]*"\s*\/?>/,
      (charset) => (found++, `${charset}<meta http-equiv="Content-Security-Policy" content="${policy}">`),
    )
  if (found !== 3) throw new Error('the built page is not what it was built to be')
  return whole
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`
