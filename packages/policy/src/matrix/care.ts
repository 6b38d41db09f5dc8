import { byStanding, type MatrixCase } from './table.ts'

/** Patients, their channels, and what is said there: open to those in whose care the patient is. */
export const care: readonly MatrixCase[] = [
  ...byStanding(
    ['channel.read', 'message.post', 'receipt.mark', 'typing.set'],
    'patient-channel',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        TEAM       TEAM       TEAM       TEAM       perm?         perm?
     open-ended     TEAM       TEAM       TEAM       TEAM       perm?         perm?
     not-begun      early?     early?     early?     early?     perm?         perm?
     ended          ended?     ended?     ended?     ended?     perm?         perm?
     emergency      EMERGENCY  EMERGENCY  EMERGENCY  EMERGENCY  perm?         perm?
     lapsed         lapsed?    lapsed?    lapsed?    lapsed?    perm?         perm?
     other-patient  never?     never?     never?     never?     perm?         perm?
     named-only     never?     never?     never?     never?     perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['patient.read'],
    'patient',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        TEAM       TEAM       TEAM       TEAM       perm!         perm!
     open-ended     TEAM       TEAM       TEAM       TEAM       perm!         perm!
     not-begun      early?     early?     early?     early?     perm!         perm!
     ended          ended?     ended?     ended?     ended?     perm!         perm!
     emergency      EMERGENCY  EMERGENCY  EMERGENCY  EMERGENCY  perm!         perm!
     lapsed         lapsed?    lapsed?    lapsed?    lapsed?    perm!         perm!
     other-patient  never?     never?     never?     never?     perm!         perm!
     named-only     never?     never?     never?     never?     perm!         perm!
     stranger       never?     never?     never?     never?     perm!         perm!
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['emergency-access.open'],
    'patient',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        ROLE       ROLE       ROLE       perm!      perm!         perm!
     ended          ROLE       ROLE       ROLE       perm?      perm!         perm!
     stranger       ROLE       ROLE       ROLE       perm?      perm!         perm!
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['care-team.read'],
    'patient',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        perm!      perm!      perm!      perm!      ROLE          ROLE
     stranger       perm?      perm?      perm?      perm?      ROLE          ROLE
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['order.write'],
    'patient-channel',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        TEAM       perm!      perm!      perm!      perm?         perm?
     not-begun      early?     perm?      perm?      perm?      perm?         perm?
     ended          ended?     perm?      perm?      perm?      perm?         perm?
     emergency      EMERGENCY  perm!      perm!      perm!      perm?         perm?
     stranger       never?     perm?      perm?      perm?      perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['channel.manage'],
    'patient-channel',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        kind!      kind!      kind!      kind!      perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['message.acknowledge'],
    'others-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        TEAM       TEAM       TEAM       TEAM       perm?         perm?
     not-begun      early?     early?     early?     early?     perm?         perm?
     ended          ended?     ended?     ended?     ended?     perm?         perm?
     emergency      EMERGENCY  EMERGENCY  EMERGENCY  EMERGENCY  perm?         perm?
     lapsed         lapsed?    lapsed?    lapsed?    lapsed?    perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['message.acknowledge'],
    'own-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        mine!      mine!      mine!      mine!      perm?         perm?
     ended          ended?     ended?     ended?     ended?     perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['message.correct', 'message.recall'],
    'own-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        TEAM       TEAM       TEAM       TEAM       perm?         perm?
     ended          ended?     ended?     ended?     ended?     perm?         perm?
     emergency      EMERGENCY  EMERGENCY  EMERGENCY  EMERGENCY  perm?         perm?
     lapsed         lapsed?    lapsed?    lapsed?    lapsed?    perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['message.correct', 'message.recall'],
    'others-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        sender!    sender!    sender!    sender!    perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['order.acknowledge'],
    'others-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        perm!      TEAM       TEAM       perm!      perm?         perm?
     ended          perm?      ended?     ended?     perm?      perm?         perm?
     emergency      perm!      EMERGENCY  EMERGENCY  perm!      perm?         perm?
     stranger       perm?      never?     never?     perm?      perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['order.acknowledge'],
    'own-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        perm!      mine!      mine!      perm!      perm?         perm?
     stranger       perm?      never?     never?     perm?      perm?         perm?`,
  ),
  ...byStanding(
    ['channel.read'],
    'archived-channel',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        TEAM       TEAM       TEAM       TEAM       perm?         perm?
     ended          ended?     ended?     ended?     ended?     perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['message.post', 'receipt.mark', 'typing.set'],
    'archived-channel',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        archived!  archived!  archived!  archived!  perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?`,
  ),
  ...byStanding(
    ['order.write'],
    'archived-channel',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        archived!  perm!      perm!      perm!      perm?         perm?`,
  ),
  ...byStanding(
    ['message.correct', 'message.recall'],
    'own-archived-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        archived!  archived!  archived!  archived!  perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?`,
  ),
  ...byStanding(
    ['message.acknowledge'],
    'others-archived-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        archived!  archived!  archived!  archived!  perm?         perm?
     stranger       never?     never?     never?     never?     perm?         perm?`,
  ),
  ...byStanding(
    ['order.acknowledge'],
    'others-archived-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     on-team        perm!      archived!  archived!  perm!      perm?         perm?`,
  ),
]
