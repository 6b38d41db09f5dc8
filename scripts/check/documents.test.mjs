import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const documents = globSync(['*.md', 'docs/*.md', 'packages/*/*.md', 'deploy/*.md'], { cwd: root }).sort()

/** A test as documents name it: its file, and then the names of tests in it in typographic quotes. */
const NAMED = /`([\w.-]+\/[\w./-]+\.test\.(?:ts|tsx|mjs))`((?:[\s,]*“[^”]+”)*)/g
const LINK = /\]\(([^)\s]+)\)/g

/** @param {string} document */
const textOf = (document) => readFileSync(join(root, document), 'utf8')

/**
 * What GitHub makes of a heading.
 * @param {string} heading
 */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')

describe.each(documents)('%s', (document) => {
  test('names tests that are there', () => {
    const missing = []
    for (const [, file = '', names = ''] of textOf(document).matchAll(NAMED)) {
      if (!existsSync(join(root, file))) {
        missing.push(file)
        continue
      }
      const source = readFileSync(join(root, file), 'utf8')
      for (const [, name = ''] of names.matchAll(/“([^”]+)”/g)) {
        const quoted = [`'${name}'`, `"${name}"`, `\`${name}\``]
        if (!quoted.some((each) => source.includes(each))) missing.push(`${file}: ${name}`)
      }
    }
    expect(missing).toEqual([])
  })

  test('leads to what is there', () => {
    const lost = [...textOf(document).matchAll(LINK)]
      .map(([, target = '']) => target)
      .filter((target) => !/^(https?|mailto):/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#')
        const file = path === '' ? document : join(dirname(document), path)
        if (!existsSync(join(root, file))) return true
        if (anchor === undefined) return false
        const headings = [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
        return !headings.includes(anchor)
      })
    expect(lost).toEqual([])
  })
})

test('the threat model names a test for each failure of others, and there are many', () => {
  const rows = textOf('docs/threat-model.md')
    .split('\n')
    .filter((line) => /^\| .*(CVE|GHSA|PR |\d{4,5})/.test(line))
  expect(rows.length).toBeGreaterThan(25)
  expect(rows.filter((row) => !row.includes('.test.'))).toEqual([])
})
