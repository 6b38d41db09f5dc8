import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { canIdle } from '../processes.ts'
import { type Aim, ATTACKS, attack, type Tally } from './attacks.ts'

type Order = { readonly place: number; readonly aim: Aim; readonly count: number }

/** As low as can be, and server and people may have all cores: what the attacker costs this machine is not what the server costs them. */
const NICENESS = 19

/** A process of its own that waits for its order: what starting it costs falls into nobody's measure. */
export async function readyAttacker(): Promise<{
  /** Begins an attack (by its place in the list), which goes on until it is stopped. */
  attack(place: number, aim: Aim, count: number): void
  stop(): Promise<Tally>
}> {
  const child = fork(fileURLToPath(import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    ...(canIdle ? { execPath: 'chrt', execArgv: ['--idle', '0', process.execPath] } : {}),
  })
  await once(child, 'message')
  return {
    attack: (place, aim, count) => void child.send({ place, aim, count } satisfies Order),
    async stop() {
      const said = once(child, 'message')
      child.send('stop')
      const [tally] = (await said) as [Tally]
      child.kill()
      return tally
    },
  }
}

/** The other end: the first message is the order, the second one ends it. */
async function obey(order: Order): Promise<void> {
  const it = ATTACKS[order.place]
  if (it === undefined) throw new Error(`there is no attack ${order.place}`)
  const until = new AbortController()
  process.once('message', () => until.abort())
  process.send?.(await attack(it, order.aim, order.count, until.signal))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setPriority(NICENESS)
  process.once('message', (order: Order) => void obey(order))
  process.send?.('ready')
}
