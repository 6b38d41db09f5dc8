export const inbox = {
  title: 'Inbox',
  filter: 'Filter by name, MRN or group',
  clearFilter: 'Clear the filter',
  create: 'New conversation',
  sections: { waiting: 'Waits for you', unread: 'Unread', rest: 'Everything else' },
  /** Said to a screen reader after the name. */
  unread: (count: number) => `${count} unread`,
  waits: {
    stat: (count: number) => `${count} STAT to acknowledge`,
    urgent: (count: number) => `${count} urgent to acknowledge`,
    unreadUrgent: (count: number) => `${count} urgent or STAT unread`,
    since: (time: string, minutes: number) =>
      minutes < 1 || minutes >= 60 ? `since ${time}` : `since ${time} (${minutes} min)`,
  },
  show: 'Show',
  shows: { all: 'All', patient: 'Patients', others: 'Colleagues' },
  kinds: { patient: 'Patient', group: 'Group', direct: 'Direct', broadcast: 'Broadcast' },
  deceased: 'deceased',
  empty: 'No conversations yet',
  emptyMore:
    'Patients appear here when you are assigned to their care team. You can also start a conversation with a colleague.',
  noMatch: 'Nothing matches the filter.',
  stale: 'The list may be out of date: the server cannot be reached.',
} as const

export const directory = {
  title: 'New conversation',
  search: 'Find people',
  searchHint: 'Name, title or role',
  chosen: 'Chosen',
  remove: (name: string) => `Remove ${name}`,
  groupTitle: 'Name of the group',
  groupTitleHint: 'Not a patient’s name: it is shown to all members.',
  startDirect: (name: string) => `Message ${name}`,
  startGroup: (count: number) => `Start a group of ${count}`,
  start: 'Start',
  people: 'People',
  empty: 'Nobody matches.',
  aboutPatients:
    'To write about a patient, open that patient’s conversation: everyone in the care team sees it, and it is kept with the patient.',
} as const
