import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureLogKey, logKeyFiles, originOf } from '../../apps/server/src/audit/sequencer/log-key.ts'
import { Sequencer, type SequencerOptions } from '../../apps/server/src/audit/sequencer/sequencer.ts'
import { type Clock, systemClock } from '../../apps/server/src/clock.ts'
import { prepareDatabase } from '../../apps/server/src/storage/prepare.ts'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import { headFile } from '../../packages/transparency-log/src/head-file.ts'
import {
  type NoteSigner,
  parseSignerKey,
  type ReadableStore,
  type VerifyReport,
  verifyLog,
} from '../../packages/transparency-log/src/index.ts'
import type { TestDatabase } from './database.ts'

export type TestLog = {
  readonly dir: string
  readonly keysDir: string
  readonly headFile: string
  readonly origin: string
  readonly skey: string
  readonly signer: NoteSigner
  readonly sequencerUrl: string
  /** A sequencer of this log; closed by `remove`. */
  sequencer(over?: Partial<SequencerOptions>): Sequencer
  /** Looks until nothing is left to do, and returns the sequencer's state. */
  settle(sequencer?: Sequencer): Promise<Sequencer['state']>
  /** The same, until the index holds every entry too. */
  index(sequencer?: Sequencer): Promise<void>
  verify(tiles?: ReadableStore): Promise<VerifyReport>
  remove(): Promise<void>
}

/** A log for a test database, in a folder of its own, or where a server looks for it. */
export async function createTestLog(
  store: TestDatabase,
  clock: Pick<Clock, 'now'> = systemClock,
  place?: { readonly auditDir: string; readonly keysDir: string },
): Promise<TestLog> {
  const root = mkdtempSync(join(tmpdir(), 'wardline-log-'))
  const { auditDir: dir, keysDir } = place ?? { auditDir: join(root, 'log'), keysDir: join(root, 'keys') }
  mkdirSync(keysDir, { recursive: true })
  const head = join(keysDir, 'audit-log.head')
  const { sequencerUrl, installation } = await prepareDatabase({ ownerUrl: store.ownerUrl, keys: store.keys })
  const origin = originOf(installation.id)
  await ensureLogKey(keysDir, origin)
  const skey = readFileSync(join(keysDir, 'audit-log.key'), 'utf8').trim()
  const signer = parseSignerKey(skey)
  const made: Sequencer[] = []

  const sequencer = (over: Partial<SequencerOptions> = {}): Sequencer => {
    const one = new Sequencer({
      databaseUrl: sequencerUrl,
      tiles: directoryStore(dir),
      headFile: headFile(head),
      keys: logKeyFiles(keysDir, origin),
      clock,
      ...over,
    })
    made.push(one)
    return one
  }
  const endOf = async () =>
    Number((await store.query<{ n: string }>('SELECT count(*) AS n FROM audit_outbox'))[0]?.n) -
    Number(
      (await store.query<{ n: string }>('SELECT coalesce(sum(count), 0) AS n FROM audit_log.runs WHERE own IS NULL'))[0]
        ?.n,
    )

  const isIndexed = async () => {
    const [row] = await store.query<{ whole: boolean }>(
      'SELECT (SELECT next_index FROM audit_log.indexed) = (SELECT max(next_index) FROM audit_log.runs) AS whole',
    )
    return row?.whole === true
  }
  async function settle(one?: Sequencer): Promise<Sequencer['state']> {
    const mine = one ?? sequencer()
    do await mine.step()
    while (mine.state.is === 'leading' && (await endOf()) > 0)
    const { state } = mine
    if (one === undefined) await mine.close()
    return state
  }

  return {
    dir,
    keysDir,
    headFile: head,
    origin,
    skey,
    signer,
    sequencerUrl,
    sequencer,
    settle,
    async index(one) {
      const mine = one ?? sequencer()
      do await settle(mine)
      while (mine.state.is === 'leading' && !(await isIndexed()))
      if (one === undefined) await mine.close()
    },
    verify: (tiles) =>
      verifyLog(tiles ?? directoryStore(dir), { origin, logKeys: [signer.verifier], now: clock.now() }),
    async remove() {
      await Promise.all(made.map((one) => one.close()))
      rmSync(root, { recursive: true, force: true })
    },
  }
}
