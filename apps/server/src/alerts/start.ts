import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import type { Config } from '../config.ts'
import type { Context } from '../context.ts'
import { StartError } from '../errors.ts'
import { AlertEngine } from './engine.ts'
import { Deliveries } from './webhook/deliveries.ts'
import { createSender } from './webhook/send.ts'
import { targetsWith } from './webhook/target.ts'

type Parts = Pick<Context, 'clock' | 'config' | 'database' | 'keyring' | 'log' | 'site'>

/**
 * Looks for alerts and brings them to webhooks, again and again, until what it returns is called. Of several processes one does.
 * @throws StartError where the authorities' file cannot be read
 */
export function startAlerts({ clock, config, database, keyring, log, site }: Parts): () => Promise<void> {
  const send = createSender(targetsWith(config.alerts.webhookNetworks), authorities(config))
  const deliveries = new Deliveries({ clock, log, site, database, keyring, send })
  const { staleMs } = config.alerts
  const onLook: ConstructorParameters<typeof AlertEngine>[0]['onLook'] = (...found) => deliveries.look(...found)
  const engine = new AlertEngine({ clock, log, database, staleMs, onLook })
  let stopped = false
  let wake = () => {}

  async function run(): Promise<void> {
    while (!stopped) {
      const wait = await engine.step()
      if (stopped) break
      await new Promise<void>((resolve) => {
        const cancel = clock.after(wait, resolve)
        wake = () => {
          cancel()
          resolve()
        }
      })
    }
    await engine.close()
    await deliveries.idle()
  }
  const running = run()
  return () => {
    stopped = true
    wake()
    return running
  }
}

function authorities({ alerts: { webhookCaFile } }: Config): string[] | undefined {
  if (webhookCaFile === null) return undefined
  try {
    return [...rootCertificates, readFileSync(webhookCaFile, 'utf8')]
  } catch (error) {
    throw new StartError('WARDLINE_WEBHOOK_CA_FILE: cannot be read; name a file that the server may read.', 1, {
      cause: error,
    })
  }
}
