/** What went wrong, in one line that says what to do. */
export class CliError extends Error {}
