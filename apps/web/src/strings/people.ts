export const patients = {
  banner: 'Patient',
  born: 'born',
  bornUnknown: 'date of birth unknown',
  mrn: 'MRN',
  deceased: 'Deceased',
  sex: { female: 'Female', male: 'Male', other: 'Other', unknown: 'Sex unknown' },
  about: 'About this conversation',
  showAbout: 'Details and care team',
  hideAbout: 'Back to the messages',
  labels: { name: 'Name', born: 'Date of birth', mrn: 'Record number', sex: 'Sex' },
  copyMrn: 'Copy the record number',
  copied: 'Copied',
} as const

export const members = {
  careTeam: 'Care team',
  people: 'People',
  until: (time: string) => `until ${time}`,
  readAll: 'has read everything',
  behind: 'has not read the latest',
  notDelivered: 'not yet delivered',
  waiting: 'The list comes with the connection.',
  none: 'Nobody else is here.',
  presence: { available: 'Available', busy: 'Busy', 'off-duty': 'Off duty' },
  covers: (name: string) => `${name} covers`,
} as const
