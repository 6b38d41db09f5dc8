/** A file whose name holds a hash of what is in it, as a page of ours names it. */
const ASSET = /"(\/assets\/[^"]+)"/g
/** The server is not waited for longer, in milliseconds. */
const GIVE_UP_MS = 10_000

/** The page that the server gives out now, as text; null where it could not be had. */
export async function servedPage(): Promise<string | null> {
  try {
    const answer = await fetch('/', {
      headers: { accept: 'text/html' },
      // No cookie: it is the same page for everybody.
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(GIVE_UP_MS),
    })
    return answer.ok ? await answer.text() : null
  } catch {
    return null
  }
}

/**
 * The build that `served` is of, as the list of its files in one text, where it is another than the build of `own`; null where
 * it is the same, or no page of ours (a proxy's, say). Each change of the app changes the name of a file that its page names.
 * @param own a page of this build; that it names more files, which were fetched when they were needed, changes nothing
 */
export function otherBuild(served: string, own: string): string | null {
  const files = assetsOf(served)
  const mine = new Set(assetsOf(own))
  return files.every((file) => mine.has(file)) ? null : files.join(' ')
}

function assetsOf(page: string): string[] {
  return [...page.matchAll(ASSET)].map(([, path = '']) => path)
}
