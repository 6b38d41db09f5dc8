import { describe, expect, it } from 'vitest'
import { otherBuild } from './build.ts'

const page = (...files: string[]) =>
  `<script src="/theme.js"></script>${files.map((file) => `<link crossorigin href="/assets/${file}">`).join('')}`

describe('a page that the server gives out', () => {
  it('is of the same build where it names the files that this one is made of', () => {
    expect(otherBuild(page('index-a.js', 'index-a.css'), page('index-a.js', 'index-a.css'))).toBeNull()
  })

  it('is of the same build though this one has fetched more since', () => {
    expect(otherBuild(page('index-a.js'), page('index-a.js', 'audit-screen-a.css'))).toBeNull()
  })

  it.each([
    ['index-b.js', 'index-a.css'],
    ['index-a.js', 'index-b.css'],
  ])('is of another build where one file is another: %s %s', (...files) => {
    const other = files.map((file) => `/assets/${file}`).join(' ')
    expect(otherBuild(page(...files), page('index-a.js', 'index-a.css'))).toBe(other)
  })

  it.each(['', '<h1>Sign in to the guest network</h1>', '<script src="/elsewhere/index-b.js">'])(
    'says nothing of a build where it is not ours: %j',
    (served) => expect(otherBuild(served, page('index-a.js'))).toBeNull(),
  )
})
