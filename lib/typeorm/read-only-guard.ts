import type { QueryRunner } from 'typeorm'
import { ReadOnlyScopeError } from '../errors.js'
import { framesTransaction, isProvablyReadOnly } from '../router/read-only-sql.js'
import type { Intent } from '../router/request.js'
import { statementKeyword } from '../trace/event.js'
import { stateOf } from './binding.js'

const writeStart = /^\s*(?:insert|update|delete)\b/i
const writeKeywords = /^(?:insert|update|delete|replace|merge|create|alter|drop|truncate|call)$/i

/** Intents whose SQL a user may have written. */
const userSqlIntents: ReadonlySet<Intent> = new Set(['raw', 'primary runner', 'replica runner'])

/** Whether the SQL could have written: everything but what is proved not to. */
export const mayWrite = (sql: string): boolean =>
  writeStart.test(sql) || (!framesTransaction(sql) && !isProvablyReadOnly(sql))

/** Whether the statement is a write by its first word, or by what follows a WITH. */
const startsWriting = (sql: string): boolean => {
  const keyword = statementKeyword(sql)
  return writeKeywords.test(keyword) || (keyword === 'WITH' && mayWrite(sql))
}

/**
 * Whether a statement is refused inside `usingReplica`. SQL of a user must be proved to read only;
 * of what TypeORM builds the first word tells, and a transaction there is READ ONLY besides.
 */
export const isRefusedOnReplica = (intent: Intent, sql: string): boolean =>
  userSqlIntents.has(intent) ? mayWrite(sql) : intent !== 'read' && startsWriting(sql)

/** Refuses a write through a runner that was asked for in replica mode. */
export const refuseOnReplica = (runner: QueryRunner, operation: string): void => {
  const state = stateOf(runner)
  if (state?.route.role === 'replica') throw new ReadOnlyScopeError(state.shard.name, operation)
}
