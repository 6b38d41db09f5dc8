import { describe, expect, test } from 'vitest'
import { allPermissions, isPermission, type Permission, permissions } from './permissions.ts'
import { permissionsOf, systemRoles } from './roles.ts'

function families(role: keyof typeof systemRoles): Set<string> {
  const held: readonly Permission[] = systemRoles[role].permissions
  return new Set(held.map((permission) => permissions[permission].scope))
}

describe('[R-38] separation of duties in the seeded roles', () => {
  test('an administrator holds nothing clinical', () => {
    expect(families('administrator')).toEqual(new Set(['account', 'audit', 'admin']))
  })

  test('an auditor holds nothing that changes anything', () => {
    expect(families('auditor')).toEqual(new Set(['account', 'audit']))
  })

  test.for(['physician', 'nurse', 'pharmacist', 'unit-clerk'] as const)('a %s administers nothing', (role) => {
    expect(families(role)).toEqual(new Set(['account', 'clinical']))
  })
})

describe('permissions', () => {
  test('every permission is in some seeded role, and no role names one twice', () => {
    expect(permissionsOf(Object.values(systemRoles))).toEqual(new Set(allPermissions))
    for (const role of Object.values(systemRoles)) expect(role.permissions).toHaveLength(new Set(role.permissions).size)
  })

  test('a name is a permission only if it is in the list', () => {
    expect(isPermission('message.post')).toBe(true)
    for (const text of ['', 'message', 'message.*', '*', 'constructor', '__proto__', 'Message.post']) {
      expect([text, isPermission(text)]).toEqual([text, false])
    }
  })
})
