import { NIL_UUID } from '../storage/errors.ts'
import { type AuditFact, type AuditId, auditId } from './event.ts'

/** Who does something, and from where: what every audit event of it begins with. */
export type By = { readonly actor: AuditId } & Pick<
  AuditFact,
  'session' | 'device' | 'connection' | 'address' | 'origin'
>

/** The server itself, or the operator at the machine. */
export const bySystem: By = { actor: auditId(NIL_UUID) }
