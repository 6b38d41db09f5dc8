import { byAction, type MatrixCase } from './table.ts'

/** What needs no relation to a patient: one’s own account, oversight, administration. */
const withinTenant: readonly MatrixCase[] = [
  ...byAction(
    'tenant',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     directory.read          ROLE      ROLE      ROLE       ROLE       ROLE          ROLE
     patient.look-up         ROLE      ROLE      ROLE       perm!      perm!         perm!
     channel.create-group    ROLE      ROLE      ROLE       ROLE       perm!         perm!
     user.read               perm!     perm!     perm!      perm!      ROLE          ROLE
     role.read               perm!     perm!     perm!      perm!      ROLE          ROLE
     care-team.read          perm!     perm!     perm!      perm!      ROLE          ROLE
     session.read            perm!     perm!     perm!      perm!      ROLE          ROLE
     connection.read         perm!     perm!     perm!      perm!      ROLE          ROLE
     emergency-access.read   perm!     perm!     perm!      perm!      ROLE          ROLE
     alert.read              perm!     perm!     perm!      perm!      ROLE          ROLE
     integration.read        perm!     perm!     perm!      perm!      ROLE          ROLE
     settings.read           perm!     perm!     perm!      perm!      ROLE          ROLE
     key.read                perm!     perm!     perm!      perm!      ROLE          ROLE
     user.manage             perm!     perm!     perm!      perm!      ROLE          perm!
     role.manage             perm!     perm!     perm!      perm!      ROLE          perm!
     alert.manage            perm!     perm!     perm!      perm!      ROLE          perm!
     integration.manage      perm!     perm!     perm!      perm!      ROLE          perm!
     settings.manage         perm!     perm!     perm!      perm!      ROLE          perm!
     key.rotate              perm!     perm!     perm!      perm!      ROLE          perm!
     import.run              perm!     perm!     perm!      perm!      ROLE          perm!`,
  ),
  ...byAction(
    'audit',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     audit.read              perm!     perm!     perm!      perm!      ROLE          ROLE
     audit.export            perm!     perm!     perm!      perm!      perm!         ROLE
     audit.review            perm!     perm!     perm!      perm!      perm!         ROLE`,
  ),
  ...byAction(
    'self',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     account.read            OWN       OWN       OWN        OWN        OWN           OWN
     account.change          OWN       OWN       OWN        OWN        OWN           OWN
     presence.set            OWN       OWN       OWN        OWN        perm!         perm!
     directory.read          ROLE      ROLE      ROLE       ROLE       ROLE          ROLE
     user.read               perm!     perm!     perm!      perm!      ROLE          ROLE
     channel.create-direct   own-account! own-account! own-account! own-account! perm! perm!
     user.manage             perm!     perm!     perm!      perm!      own-account!  perm!
     factor.reset            perm!     perm!     perm!      perm!      own-account!  perm!
     password.reset          perm!     perm!     perm!      perm!      own-account!  perm!
     role.assign             perm!     perm!     perm!      perm!      own-roles!    perm!`,
  ),
  ...byAction(
    'other-user',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     account.read            theirs!   theirs!   theirs!    theirs!    theirs!       theirs!
     account.change          theirs!   theirs!   theirs!    theirs!    theirs!       theirs!
     presence.set            theirs!   theirs!   theirs!    theirs!    perm!         perm!
     directory.read          ROLE      ROLE      ROLE       ROLE       ROLE          ROLE
     user.read               perm!     perm!     perm!      perm!      ROLE          ROLE
     channel.create-direct   ROLE      ROLE      ROLE       ROLE       perm!         perm!
     user.manage             perm!     perm!     perm!      perm!      ROLE          perm!
     factor.reset            perm!     perm!     perm!      perm!      ROLE          perm!
     password.reset          perm!     perm!     perm!      perm!      ROLE          perm!
     role.assign             perm!     perm!     perm!      perm!      ROLE          perm!`,
  ),
  ...byAction(
    'own-session',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     account.end-session     OWN       OWN       OWN        OWN        OWN           OWN
     session.read            perm!     perm!     perm!      perm!      ROLE          ROLE
     session.manage          perm!     perm!     perm!      perm!      ROLE          perm!`,
  ),
  ...byAction(
    'others-session',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     account.end-session     theirs?   theirs?   theirs?    theirs?    theirs!       theirs!
     session.read            perm?     perm?     perm?      perm?      ROLE          ROLE
     session.manage          perm?     perm?     perm?      perm?      ROLE          perm!`,
  ),
  ...byAction(
    'held-role',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     role.read               perm?     perm?     perm?      perm?      ROLE          ROLE
     role.manage             perm?     perm?     perm?      perm?      own-roles!    perm!`,
  ),
  ...byAction(
    'other-role',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     role.read               perm?     perm?     perm?      perm?      ROLE          ROLE
     role.manage             perm?     perm?     perm?      perm?      ROLE          perm!`,
  ),
  ...byAction(
    'system-role',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     role.read               perm?     perm?     perm?      perm?      ROLE          ROLE
     role.manage             perm?     perm?     perm?      perm?      system!       perm!`,
  ),
  ...byAction(
    'own-assignment',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     care-team.read          perm?     perm?     perm?      perm?      ROLE          ROLE
     care-team.manage        perm?     perm?     perm?      perm?      own-team!     perm!`,
  ),
  ...byAction(
    'others-assignment',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     care-team.read          perm?     perm?     perm?      perm?      ROLE          ROLE
     care-team.manage        perm?     perm?     perm?      perm?      ROLE          perm!`,
  ),
  ...byAction(
    'own-emergency-access',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     emergency-access.close  OWN       OWN       OWN        OWN        OWN           OWN
     emergency-access.read   perm!     perm!     perm!      perm!      ROLE          ROLE
     emergency-access.review perm!     perm!     perm!      perm!      own-use!      perm!`,
  ),
  ...byAction(
    'others-emergency-access',
    `                        physician nurse     pharmacist unit-clerk administrator auditor
     emergency-access.close  theirs?   theirs?   theirs?    theirs?    theirs!       theirs!
     emergency-access.read   perm?     perm?     perm?      perm?      ROLE          ROLE
     emergency-access.review perm?     perm?     perm?      perm?      ROLE          perm!`,
  ),
]

/** All of it is refused to a disabled account, one’s own account included, and none of it exists from another tenant. */
export const administration: readonly MatrixCase[] = [
  ...withinTenant,
  ...withinTenant.map(
    (each): MatrixCase => ({
      ...each,
      standing: 'disabled',
      expected: { allowed: false, code: 'unauthenticated', reason: 'disabled' },
    }),
  ),
  ...withinTenant.map(
    (each): MatrixCase => ({
      ...each,
      standing: 'other-tenant',
      expected: { allowed: false, code: 'not-found', reason: 'tenant-wall' },
    }),
  ),
]
