import { expect, it } from 'vitest'
import { Emitter } from './emitter.ts'
import type { Fault } from './fault.ts'

function setUp() {
  const faults: Fault[] = []
  const heard: string[] = []
  const emitter = new Emitter<{ said: string }>((fault) => faults.push(fault))
  return { faults, heard, emitter }
}

it('a listener that throws is reported, and the others hear all the same', () => {
  const { faults, heard, emitter } = setUp()
  const error = new Error('in the app')
  emitter.on('said', () => {
    throw error
  })
  emitter.on('said', (what) => heard.push(what))
  emitter.emit('said', 'hello')
  expect(heard).toEqual(['hello'])
  expect(faults).toEqual([{ kind: 'handler', error }])
})

it('who comes or goes during an event changes the next one', () => {
  const { heard, emitter } = setUp()
  const stop = emitter.on('said', () => {
    stop()
    emitter.on('said', (what) => heard.push(`late ${what}`))
  })
  emitter.on('said', (what) => heard.push(what))
  emitter.emit('said', 'one')
  emitter.emit('said', 'two')
  expect(heard).toEqual(['one', 'two', 'late two'])
})

it('one listener attached twice hears twice, and is detached once', () => {
  const { heard, emitter } = setUp()
  const listen = (what: string) => void heard.push(what)
  const stop = emitter.on('said', listen)
  emitter.on('said', listen)
  emitter.emit('said', 'a')
  stop()
  emitter.emit('said', 'b')
  expect(heard).toEqual(['a', 'a', 'b'])
  expect(emitter.has('said')).toBe(true)
})
