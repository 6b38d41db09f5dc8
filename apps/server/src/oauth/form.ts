import { Refusal } from '../errors.ts'
import type { App } from '../http/app-type.ts'

const FORM = 'application/x-www-form-urlencoded'
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Lets a scope take forms and nothing else, which is what OAuth's endpoints speak (RFC 6749 appendix B). A name twice is refused (§3.2). That another
 * site's page can send forms as well does not matter here: what counts stands in them, and no cookie is looked at.
 */
export function acceptForms(scope: App): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(FORM, { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    const fields = fieldsOf(body)
    if (fields === null) done(new Refusal('invalid', 'malformed'))
    else done(null, fields)
  })
}

/** Null for what is no form: not UTF-8, or a name twice. */
function fieldsOf(body: Buffer): Record<string, string> | null {
  try {
    const pairs = [...new URLSearchParams(utf8.decode(body))]
    if (new Set(pairs.map(([name]) => name)).size !== pairs.length) return null
    // No prototype: a form may name anything.
    return Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(pairs))
  } catch {
    return null
  }
}
