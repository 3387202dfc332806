import type { SqlCommentWord } from '../config/words.js'
import { sqlComment } from '../trace/sql-comment.js'
import type { RunnerState } from './runner-state.js'

const tags: Readonly<Record<SqlCommentWord, (state: RunnerState) => string>> = {
  shard: ({ route }) => route.shard,
  role: ({ route }) => route.role,
  reason: ({ route }) => route.reason,
  routeId: ({ routeId }) => routeId,
}

/** What a runner's statements end with, see `sqlComments`. */
export const routeComment = (state: RunnerState): string =>
  sqlComment(
    Object.fromEntries(state.runtime.config.sqlComments.map((word) => [word, tags[word](state)])),
  )
