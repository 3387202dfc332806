import type { RouteEvent } from '../index.js'

/** The first words of statements that are told as they are. Raw SQL can begin with anything. */
const known: ReadonlySet<string> = new Set(
  `ALTER ANALYZE ATTACH BEGIN CALL CHECK CLOSE COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE
   DESCRIBE DETACH DO DROP END EXECUTE EXPLAIN FETCH FLUSH GRANT INSERT KILL LISTEN LOAD LOCK MERGE
   NOTIFY OPTIMIZE PRAGMA PREPARE REFRESH REINDEX RELEASE RENAME REPLACE RESET REVOKE ROLLBACK
   SAVEPOINT SELECT SET SHOW START TABLE TRUNCATE UNLISTEN UNLOCK UPDATE USE VACUUM VALUES WITH`.split(
    /\s+/,
  ),
)

/** The kind of a statement, one of few dozen words. */
export const operationName = (statement: string): string =>
  known.has(statement) ? statement : 'OTHER'

const isWord = /^[\w-]{1,64}$/

/** How a statement failed, in one word: the driver's code, or the class of the error. */
export const errorType = ({ code, name }: NonNullable<RouteEvent['error']>): string => {
  if (code !== undefined && isWord.test(code)) return code
  return isWord.test(name) ? name : '_OTHER'
}

/** What a server answered with: its number, or a SQLSTATE. Node's and the drivers' own codes are none. */
export const statusCode = ({
  stage,
  code,
  errno,
}: NonNullable<RouteEvent['error']>): string | undefined => {
  if (stage !== 'query') return undefined
  if (errno !== undefined) return errno > 0 ? String(errno) : undefined
  return code !== undefined && /^(?:[0-9A-Z]{5}|SQLITE_\w{1,40})$/.test(code) ? code : undefined
}
