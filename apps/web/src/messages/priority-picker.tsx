import type { Priority } from '@wardline/protocol'
import { strings } from '../strings.ts'
import { PriorityShape } from '../ui/priority-mark.tsx'
import { Segmented } from '../ui/segmented.tsx'

const PRIORITIES: readonly Priority[] = ['routine', 'urgent', 'stat']

interface PriorityPickerProps {
  readonly value: Priority
  readonly onChange: (priority: Priority) => void
}

/** Routine, urgent or STAT: each with its shape and its word. */
export function PriorityPicker({ value, onChange }: PriorityPickerProps) {
  return (
    <Segmented
      label={strings.messages.composer.priority}
      value={value}
      onChange={onChange}
      segments={PRIORITIES.map((each) => ({
        value: each,
        text: strings.words.priority[each],
        mark: <PriorityShape priority={each} size={15} />,
      }))}
    />
  )
}
