import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

/** What a process holds of memory, in MiB. */
export function residentMiB(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024
}

/** Its open files and sockets; 0 where the system does not tell. */
export function openFiles(pid: number): number {
  return existsSync(`/proc/${pid}/fd`) ? readdirSync(`/proc/${pid}/fd`).length : 0
}
