/**
 * Why the server does not start, in one line that says what to do. `main.ts` prints it without a stack and exits with
 * `exitCode`: 1 for what an operator mends (a port in use, a database that does not answer, a key that does not fit).
 */
export class StartError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
    this.exitCode = exitCode
  }
}
