import { useMutation } from '@tanstack/react-query'
import type { DirectoryEntry } from '@wardline/protocol'
import { Plus, X } from 'lucide-react'
import { useId, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Failure, failureText, Loading } from '../ui/screen-state.tsx'
import { useAbility, useMe, useWardline } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { matchingPeople } from './matching-people.ts'
import styles from './new-conversation-dialog.module.css'

const text = strings.directory

interface NewConversationDialogProps {
  /** The id of the conversation, new or already there. */
  readonly onOpened: (channel: string) => void
  readonly onClose: () => void
}

/** One person chosen opens a direct conversation, several a group with a name. Conversations about patients are not made here. */
export function NewConversationDialog({ onOpened, onClose }: NewConversationDialogProps) {
  const { api } = useWardline()
  const me = useMe().id
  const mayDirect = useAbility('channel.create-direct')
  const mayGroup = useAbility('channel.create-group')
  const directory = useDirectory(true)
  const form = useId()
  const [filter, setFilter] = useState('')
  const [chosen, setChosen] = useState<readonly DirectoryEntry[]>([])
  const [title, setTitle] = useState('')
  const [first] = chosen
  const group = chosen.length > 1
  const ready = first !== undefined && (group ? mayGroup && title.trim() !== '' : mayDirect)

  const create = useMutation({
    mutationFn: (target: DirectoryEntry) =>
      group
        ? api.createChannel({ kind: 'group', title: title.trim(), members: chosen.map((each) => each.id) })
        : api.createChannel({ kind: 'direct', member: target.id }),
    onSuccess: (channel) => onOpened(channel.id),
  })

  const found = matchingPeople(directory.data ?? [], filter, new Set([me, ...chosen.map((each) => each.id)]))
  const toggle = (person: DirectoryEntry) => {
    setChosen((before) =>
      before.some((each) => each.id === person.id)
        ? before.filter((each) => each.id !== person.id)
        : [...before, person],
    )
    setFilter('')
  }

  return (
    <Dialog
      title={text.title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{strings.words.cancel}</Button>
          <Button type="submit" form={form} kind="primary" disabled={!ready || create.isPending}>
            {first === undefined
              ? text.start
              : group
                ? text.startGroup(chosen.length + 1)
                : text.startDirect(first.displayName)}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (ready) create.mutate(first)
        }}
      >
        {chosen.length > 0 && (
          <ul className={styles.chosen} aria-label={text.chosen}>
            {chosen.map((each) => (
              <li key={each.id}>
                <Button small icon={X} aria-label={text.remove(each.displayName)} onClick={() => toggle(each)}>
                  {each.displayName}
                </Button>
              </li>
            ))}
          </ul>
        )}
        {group && (
          <TextField
            label={text.groupTitle}
            hint={text.groupTitleHint}
            value={title}
            maxLength={120}
            autoComplete="off"
            onChange={(event) => setTitle(event.target.value)}
          />
        )}
        <TextField
          label={text.search}
          placeholder={text.searchHint}
          value={filter}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            const [top] = found
            if (event.key !== 'Enter' || filter === '' || top === undefined) return
            event.preventDefault()
            toggle(top)
          }}
        />
        {create.isError && (
          <p role="alert" className={styles.failed}>
            {failureText(create.error).title}
          </p>
        )}
        {directory.isPending ? (
          <Loading lines={4} />
        ) : directory.isError ? (
          <Failure error={directory.error} onRetry={() => void directory.refetch()} />
        ) : (
          <ul className={styles.people} aria-label={text.people}>
            {found.map((each) => (
              <li key={each.id}>
                <button type="button" onClick={() => toggle(each)}>
                  <span>
                    <span className={styles.name}>{each.displayName}</span>
                    <span className={styles.role}>{each.title ?? each.roles.map(strings.words.role).join(', ')}</span>
                  </span>
                  <Plus aria-hidden size={17} />
                </button>
              </li>
            ))}
            {found.length === 0 && <li className={styles.none}>{text.empty}</li>}
          </ul>
        )}
        <p className={styles.note}>{text.aboutPatients}</p>
      </form>
    </Dialog>
  )
}
