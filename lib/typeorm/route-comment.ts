import type { SqlCommentWord } from '../config/words.js'
import { sqlComment } from '../trace/sql-comment.js'
import type { RunnerState } from './runner-state.js'

const tags: Readonly<Record<SqlCommentWord, (state: RunnerState) => string>> = {
  shard: ({ route }) => route.shard,
  role: ({ route }) => route.role,
  reason: ({ route }) => route.reason,
  routeId: ({ routeId }) => routeId,
}

const commentOf = (state: RunnerState, words: readonly SqlCommentWord[]): string =>
  sqlComment(Object.fromEntries(words.map((word) => [word, tags[word](state)])))

/** The comments that were made, by what they tell and then by what it is: few, unless each is another. */
const known = new WeakMap<readonly SqlCommentWord[], Map<string, string>>()

/** What a runner's statements end with, see `sqlComments`. */
export const routeComment = (state: RunnerState): string => {
  const { route, runtime } = state
  const words = runtime.config.sqlComments
  if (words.includes('routeId')) return commentOf(state, words)
  let comments = known.get(words)
  if (comments === undefined) known.set(words, (comments = new Map()))
  const key = `${route.shard} ${route.role} ${route.reason}`
  let comment = comments.get(key)
  if (comment === undefined) comments.set(key, (comment = commentOf(state, words)))
  return comment
}
