import { expect, test } from 'vitest'
import { readSettings } from './settings.tsx'

const kept = (value: string | null) => readSettings({ getItem: () => value })
const defaults = { singleKeys: true, enterSends: true, sound: true }

test('switches come back as they were left', () => {
  expect(kept('{"singleKeys":false,"enterSends":false,"sound":true}')).toEqual({
    singleKeys: false,
    enterSends: false,
    sound: true,
  })
})

test.each([null, '', '[]', '7', 'null', '{', '{"sound":"loud","other":false}'])('%j is as by default', (value) => {
  expect(kept(value)).toEqual(defaults)
})

test('a device that refuses storage has its defaults', () => {
  const refusing = {
    getItem: () => {
      throw new DOMException('denied')
    },
  }
  expect(readSettings(refusing)).toEqual(defaults)
})
