import { equalBytes } from './bytes.ts'
import type { FindingList } from './finding-list.ts'
import type { Frontier } from './frontier.ts'
import type { SignedHead } from './verify-checkpoints.ts'

/** Holds the signed roots against the tree while it grows. */
export type RootWatch = {
  /** To be called at every size, the empty tree's included. */
  look(tree: Frontier): void
  /** Says what the comparisons mean, once the tree is whole. */
  finish(): void
  /** How many signed roots the log has been seen to have. */
  readonly matched: number
}

/** `target` is the checkpoint the log is verified at, from the leaf `from` on; `others` of any size, in any order. */
export function rootWatch(
  target: SignedHead,
  others: readonly SignedHead[],
  from: number,
  findings: FindingList,
): RootWatch {
  const heads = [target, ...others].sort((a, b) => a.size - b.size)
  const differing: SignedHead[] = []
  let next = 0
  let matched = 0
  let lastGood = from

  return {
    get matched() {
      return matched
    },
    look(tree) {
      while (heads[next] !== undefined && (heads[next] as SignedHead).size < tree.size) next++
      for (; heads[next]?.size === tree.size; next++) {
        const head = heads[next] as SignedHead
        if (!equalBytes(tree.root(), head.root)) {
          differing.push(head)
          continue
        }
        matched++
        if (differing.length === 0) lastGood = head.size
      }
    },
    finish() {
      const [first] = differing
      if (first === undefined) return
      if (!differing.includes(target)) {
        for (const { size, path } of differing) findings.add({ kind: 'forked', size, path })
      } else {
        // The entries are not those that were signed; somewhere between the last root they have and the first they lack.
        findings.add({ kind: 'changed', what: 'root', path: first.path, from: lastGood, to: first.size })
      }
    },
  }
}
