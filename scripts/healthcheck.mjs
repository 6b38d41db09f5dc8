// The container's health check: exits 0 when this server answers, 1 with the reason when it does not.
import { get } from 'node:https'

const TIMEOUT_MS = 4_000

// The server's own certificate, over loopback, and nothing is sent: there is nobody to be fooled by.
const options = { timeout: TIMEOUT_MS, rejectUnauthorized: false }
const request = get(`https://127.0.0.1:${process.env.WARDLINE_PORT ?? '8443'}/healthz`, options, (response) => {
  response.resume()
  if (response.statusCode !== 200) fail(`answered ${response.statusCode}`)
})
request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
request.on('error', (error) => fail(error.message))

/** @param {string} reason */
function fail(reason) {
  console.error(reason)
  process.exitCode = 1
}
