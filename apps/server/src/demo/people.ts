/** The people of the demonstration (invented), by tenant. The patients come from prisma/demo, through the FHIR import. */
export const DEMO_TENANTS = [
  {
    slug: 'riverside',
    name: 'Riverside General Hospital',
    people: [
      {
        username: 'physician.okafor',
        displayName: 'Dr. Chidi Okafor',
        title: 'Internal medicine',
        roles: ['physician'],
      },
      { username: 'nurse.lind', displayName: 'Astrid Lind', title: 'RN, 4 West', roles: ['nurse'] },
      { username: 'pharmacist.vega', displayName: 'Marisol Vega', title: 'PharmD', roles: ['pharmacist'] },
      { username: 'clerk.moss', displayName: 'Devon Moss', title: 'Unit clerk, 4 West', roles: ['unit-clerk'] },
      { username: 'admin.reyes', displayName: 'Elena Reyes', title: 'Clinical systems', roles: ['administrator'] },
      { username: 'auditor.chen', displayName: 'Wei Chen', title: 'Privacy office', roles: ['auditor'] },
    ],
  },
  {
    slug: 'lakeside',
    name: 'Lakeside Clinic',
    people: [
      { username: 'physician.haddad', displayName: 'Dr. Leila Haddad', title: 'Family medicine', roles: ['physician'] },
      { username: 'admin.novak', displayName: 'Marek Novak', title: 'Clinic manager', roles: ['administrator'] },
    ],
  },
] as const
