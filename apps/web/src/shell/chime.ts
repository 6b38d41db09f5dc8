/** The notes of each sound: frequency in hertz, and when it begins, in seconds. STAT rises and is said twice. */
const NOTES = {
  urgent: [
    [660, 0],
    [880, 0.16],
  ],
  stat: [
    [784, 0],
    [1175, 0.14],
    [784, 0.42],
    [1175, 0.56],
  ],
} as const

let context: AudioContext | undefined

/** Sounds for an urgent or STAT message. Silent where the browser has not been touched yet or has no sound. */
export function chime(weight: keyof typeof NOTES): void {
  try {
    context ??= new AudioContext()
    const { currentTime, destination } = context
    for (const [frequency, after] of NOTES[weight]) {
      const note = context.createOscillator()
      const volume = context.createGain()
      note.frequency.value = frequency
      volume.gain.setValueAtTime(0, currentTime + after)
      volume.gain.linearRampToValueAtTime(0.18, currentTime + after + 0.02)
      volume.gain.exponentialRampToValueAtTime(0.001, currentTime + after + 0.3)
      note.connect(volume).connect(destination)
      note.start(currentTime + after)
      note.stop(currentTime + after + 0.32)
    }
  } catch {
    // No sound here: the screen says it in any case.
  }
}
