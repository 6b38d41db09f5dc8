/**
 * What is read of Vitest's JSON report.
 *
 * @typedef {{ status: string, assertionResults: { status: string }[] }} TestFile
 * @typedef {{ passed: number, failed: number, skipped: number }} Count
 */

/**
 * @param {TestFile[]} files
 * @returns {Count} a file that failed outside its tests (it could not be loaded, a hook threw) counts as one failed
 */
export function countTests(files) {
  const count = { passed: 0, failed: 0, skipped: 0 }
  for (const { status, assertionResults: results } of files) {
    const failed = results.filter((test) => test.status === 'failed').length
    const passed = results.filter((test) => test.status === 'passed').length
    count.passed += passed
    count.failed += status === 'failed' ? Math.max(failed, 1) : failed
    count.skipped += results.length - failed - passed
  }
  return count
}

/**
 * @param {Count} count
 * @returns {string} the last line
 */
export function lastLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/**
 * @param {string[]} args as given to `npm test --`
 * @param {string[]} browserTests paths of the browser tests
 * @returns {boolean} whether this run may reach one
 */
export function wantsBrowser(args, browserTests) {
  const projects = args.flatMap((arg, at) =>
    arg === '--project' ? (args[at + 1] ?? []) : (/^--project=(.*)/.exec(arg)?.[1] ?? []),
  )
  if (projects.length > 0) return projects.includes('browser')
  const paths = args.filter((arg) => !arg.startsWith('-'))
  return paths.length === 0 || paths.some((path) => browserTests.some((test) => test.includes(path)))
}
