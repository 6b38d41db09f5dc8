import { byStanding, type MatrixCase } from './table.ts'

/** Groups, direct conversations and broadcast lists: open to their members. */
export const conversations: readonly MatrixCase[] = [
  ...byStanding(
    ['channel.read', 'message.post', 'receipt.mark', 'typing.set', 'channel.manage'],
    'group',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         MEMBER     MEMBER     MEMBER     MEMBER     perm?         perm?
     member-later   member?    member?    member?    member?    perm?         perm?
     on-team        member?    member?    member?    member?    perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['channel.read', 'message.post', 'receipt.mark', 'typing.set', 'channel.manage'],
    'group-about-patient',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member-on-team TEAM       TEAM       TEAM       TEAM       perm?         perm?
     member         never?     never?     never?     never?     perm?         perm?
     on-team        member?    member?    member?    member?    perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['channel.read', 'message.post', 'receipt.mark', 'typing.set'],
    'direct',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         MEMBER     MEMBER     MEMBER     MEMBER     perm?         perm?
     member-later   member?    member?    member?    member?    perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['channel.read', 'message.post', 'receipt.mark', 'typing.set'],
    'broadcast',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         MEMBER     MEMBER     MEMBER     MEMBER     perm?         perm?
     member-later   member?    member?    member?    member?    perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['channel.manage'],
    'direct',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         kind!      kind!      kind!      kind!      perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?`,
  ),
  ...byStanding(
    ['channel.manage'],
    'broadcast',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         kind!      kind!      kind!      kind!      perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?`,
  ),
  ...byStanding(
    ['channel.read'],
    'archived-group',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         MEMBER     MEMBER     MEMBER     MEMBER     perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?`,
  ),
  ...byStanding(
    ['message.post', 'receipt.mark', 'typing.set', 'channel.manage'],
    'archived-group',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         archived!  archived!  archived!  archived!  perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?`,
  ),
  ...byStanding(
    ['order.write'],
    'group',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         kind!      perm!      perm!      perm!      perm?         perm?
     stranger       member?    perm?      perm?      perm?      perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['message.acknowledge'],
    'others-group-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         MEMBER     MEMBER     MEMBER     MEMBER     perm?         perm?
     stranger       member?    member?    member?    member?    perm?         perm?
     disabled       off        off        off        off        off           off
     other-tenant   wall?      wall?      wall?      wall?      wall?         wall?`,
  ),
  ...byStanding(
    ['order.acknowledge'],
    'others-group-message',
    `               physician  nurse      pharmacist unit-clerk administrator auditor
     member         perm!      kind!      kind!      perm!      perm?         perm?
     stranger       perm?      member?    member?    perm?      perm?         perm?`,
  ),
]
