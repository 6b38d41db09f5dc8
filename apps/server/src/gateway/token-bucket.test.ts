import { describe, expect, it } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

describe('[P8] token bucket', () => {
  it('lets a burst through, then the rate, and says when to come back', () => {
    const bucket = new TokenBucket(10, 3, 0)
    expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 0])
    expect(bucket.take(0)).toBe(100)
    expect(bucket.take(99)).toBe(1)
    expect(bucket.take(100)).toBe(0)
    expect(bucket.take(100)).toBe(100)
  })

  it('is never fuller than its burst, and full again after a while', () => {
    const bucket = new TokenBucket(1, 2, 0)
    bucket.take(0)
    expect(bucket.isFull(999)).toBe(false)
    expect(bucket.isFull(1_000)).toBe(true)
    bucket.take(1_000_000)
    bucket.take(1_000_000)
    expect(bucket.take(1_000_000)).toBe(1_000)
  })

  it('gives and takes nothing when the clock is set back', () => {
    const bucket = new TokenBucket(1, 1, 10_000)
    expect(bucket.take(10_000)).toBe(0)
    expect(bucket.take(5_000)).toBe(1_000)
    expect(bucket.take(6_000)).toBe(0)
  })
})
