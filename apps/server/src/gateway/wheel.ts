import type { Clock } from '../clock.ts'

/** Something with deadlines. `due` looks at the time, does what is to be done, and says when to look again: `null` for never. */
export interface Timed {
  due(now: number): number | null
}

type Entry = { slot: number; readonly timed: Timed }

/** How late a deadline may be noticed, in milliseconds. */
const TICK_MS = 250
/** A turn that comes so many slots late: this process has stood still, or the clock was set. */
const LATE_SLOTS = 8

/**
 * One timer for the deadlines of all sockets. Each has one entry, in the slot of its earliest deadline; deadlines that move
 * later (each frame moves some) touch nothing here, and are seen to have moved when their slot comes.
 */
export class Wheel {
  readonly #clock: Clock
  readonly #slots = new Map<number, Set<Entry>>()
  readonly #stop: () => void
  #slot: number
  #late = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#slot = slotOf(clock.now())
    this.#stop = clock.every(TICK_MS, () => this.#turn())
  }

  /** Looks at `timed` from `at` (milliseconds of the epoch) on. */
  add(timed: Timed, at: number): WheelEntry {
    const entry: Entry = { slot: 0, timed }
    this.#put(entry, at)
    return {
      lookBy: (sooner) => {
        if (slotOf(sooner) + 1 >= entry.slot || !this.#take(entry)) return
        this.#put(entry, sooner)
      },
      remove: () => {
        this.#take(entry)
      },
    }
  }

  close(): void {
    this.#stop()
    this.#slots.clear()
  }

  #turn(): void {
    const now = this.#clock.now()
    const last = slotOf(now)
    // What peers have sent while this process stood still lies with the kernel, and is read before anybody is judged by the time.
    this.#late = !this.#late && last - this.#slot > LATE_SLOTS
    if (this.#late) return
    const first = this.#slot
    // Before any slot is run: what is put back meanwhile comes in a later turn, even with a time that has passed, and is not
    // put where this turn has already been.
    this.#slot = last
    // After a jump of the clock forward (a laptop slept) the slots in between may be many: what there is, is few.
    if (last - first > this.#slots.size) {
      for (const slot of [...this.#slots.keys()].filter((each) => each <= last)) this.#run(slot, now)
    } else for (let slot = first; slot <= last; slot += 1) this.#run(slot, now)
  }

  #run(slot: number, now: number): void {
    const entries = this.#slots.get(slot)
    if (entries === undefined) return
    this.#slots.delete(slot)
    for (const entry of entries) {
      entries.delete(entry)
      const next = entry.timed.due(now)
      if (next !== null) this.#put(entry, next)
    }
  }

  #put(entry: Entry, at: number): void {
    entry.slot = Math.max(slotOf(at) + 1, this.#slot + 1)
    const entries = this.#slots.get(entry.slot)
    if (entries === undefined) this.#slots.set(entry.slot, new Set([entry]))
    else entries.add(entry)
  }

  /** Whether the entry was waiting; it is not while its `due` runs, nor after that said `null`. */
  #take(entry: Entry): boolean {
    const entries = this.#slots.get(entry.slot)
    if (entries?.delete(entry) !== true) return false
    if (entries.size === 0) this.#slots.delete(entry.slot)
    return true
  }
}

export interface WheelEntry {
  /** A deadline has come nearer: look by then. */
  lookBy(sooner: number): void
  remove(): void
}

function slotOf(at: number): number {
  return Math.floor(at / TICK_MS)
}
