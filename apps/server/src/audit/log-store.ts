import type { ReadableStore, TileStore } from '@wardline/transparency-log'
import { directoryStore } from '@wardline/transparency-log/directory-store'
import { s3Store } from '@wardline/transparency-log/s3-store'

/** Where the audit log's files are: a folder, or a bucket where one is named. Plain values, so that a thread can be given them. */
export type LogPlace = { readonly auditDir: string; readonly auditS3: AuditS3 | null }

/** A bucket of S3, or of what speaks like it. */
export type AuditS3 = {
  /** `https://host/bucket/prefix` */
  readonly url: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly retentionDays: number
}

/** The log's files, for writing and for reading. */
export function logStore({ auditDir, auditS3 }: LogPlace): TileStore & ReadableStore {
  if (auditS3 === null) return directoryStore(auditDir)
  const { accessKeyId, secretAccessKey, ...bucket } = auditS3
  return s3Store({ ...bucket, credentials: { accessKeyId, secretAccessKey } })
}
