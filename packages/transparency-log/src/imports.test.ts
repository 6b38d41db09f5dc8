import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

/** Every module an entry pulls in at run time, its own files and others. */
function modulesOf(entry: string): { files: string[]; others: string[] } {
  const files = new Set<string>()
  const others = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    for (const [, name = ''] of text.matchAll(/^(?:import|export) (?!type\b)[^']*?from '([^']+)'/gm)) {
      if (name.startsWith('./')) visit(name)
      else others.add(name)
    }
  }
  visit(entry)
  return { files: [...files], others: [...others] }
}

describe('what each entry pulls in', () => {
  it('the package: node:crypto and nothing else', () => {
    expect(manifest).not.toHaveProperty('dependencies')
    expect(modulesOf('./index.ts').others).toEqual(['node:crypto'])
  })

  it('the folder store: the file system too', () => {
    expect(modulesOf('./directory-store.ts').others.toSorted()).toEqual([
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:path',
    ])
  })

  it('the bucket: node:crypto, and the fetch that is there', () => {
    expect(modulesOf('./s3-store.ts').others).toEqual(['node:crypto'])
  })

  it('the browser’s half: nothing of Node', () => {
    const { files, others } = modulesOf('./browser.ts')
    expect(others).toEqual([])
    expect(files.length).toBeGreaterThan(8)
    for (const file of files) {
      expect(readFileSync(new URL(file, import.meta.url), 'utf8')).not.toMatch(/\b(Buffer|process|require)\b[.(]/)
    }
  })
})
