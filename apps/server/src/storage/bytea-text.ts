const ESCAPE = /\\(?:\\|([0-3][0-7]{2}))/g

/**
 * The bytes that `encode(…, 'escape')` made text of, where what is ASCII stands for itself: half of what hex is to make, to send and to
 * read. `\\` is a backslash, `\ooo` a byte in octal (PostgreSQL's manual, 9.5).
 */
export function bytesOfText(text: string): Buffer {
  if (!text.includes('\\')) return Buffer.from(text, 'latin1')
  const byte = (_all: string, octal?: string) =>
    octal === undefined ? '\\' : String.fromCharCode(Number.parseInt(octal, 8))
  return Buffer.from(text.replace(ESCAPE, byte), 'latin1')
}
