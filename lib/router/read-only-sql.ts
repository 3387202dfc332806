/**
 * A conservative proof that SQL only reads. It errs to one side: what it cannot prove counts as a
 * write, so that a replica scope refuses it and read-your-writes remembers it.
 */

/** String literals, quoted names and comments, which may hold any word. Only what every engine reads
 *  alike: a literal with a backslash, for one, ends elsewhere in MySQL than in PostgreSQL. Only in
 *  PostgreSQL a line comment ends at a carriage return, and comments nest. */
const opaque =
  /'[^'\\]*(?:''[^'\\]*)*'|"[^"\\]*(?:""[^"\\]*)*"|`[^`]*`|--(?=[ \t\n\r\f\v]|$)[^\n\r]*(?=\r?\n|\r?$)|\/\*(?!M?!)[^*/]*(?:(?:\*(?!\/)|\/(?!\*))[^*/]*)*\*\//gi

/** The same where `[` quotes a name, as SQLite reads it: a quote inside opens nothing. */
const opaqueWithBrackets = new RegExp(`\\[[^\\]]*\\]|${opaque.source}`, opaque.flags)

/** What no proof survives: an open or doubtful quote, a comment of one engine only, an executable
 *  MySQL comment, a second statement. */
const unprovable = /['"`\\#]|--|\/\*|\$(?!\d)|;\s*\S/

const readingStart = /^[\s(]*(?:select|with|values|table|show|explain|describe|desc)\b/i

const writingWords =
  /\b(?:insert|update|delete|merge|replace|upsert|truncate|create|alter|drop|grant|revoke|call|do|into|lock|set|copy|vacuum|analy[sz]e|refresh|nextval|setval)\b|\bfor\s+(?:no\s+key\s+update|key\s+share|update|share)\b|:=/i

/** Built-in functions that only compute. Any other call could write, take a lock or move a sequence. */
const harmlessFunctions = new Set(
  `abs any array avg between by cast ceil ceiling char_length coalesce concat concat_ws convert
  count current_database current_date current_schema current_setting current_time
  current_timestamp current_user database date date_add date_format date_part date_sub date_trunc
  datediff day dayofmonth dayofweek dayofyear decimal dense_rank distinct every exists extract
  filter first_value floor format from from_unixtime from_days greatest group group_concat hour if
  ifnull in instr interval is json_agg json_arrayagg json_build_array json_build_object json_contains json_extract
  json_length json_object json_objectagg json_unquote jsonb_agg jsonb_build_object jsonb_extract_path
  lag last_value lead least left length like ln locate log lower lpad ltrim max md5 min minute mod
  month not now nth_value ntile nullif octet_length on or and as all over partition pi position
  power pg_is_in_recovery pg_last_wal_replay_lsn quote_ident quote_literal rank regexp_replace
  repeat replace reverse right round row row_number row_to_json rpad rtrim schema second select
  session_user sign some split_part sqrt stddev string_agg strftime substr substring substring_index
  sum then time timestamp timestampdiff to_char to_date to_json to_jsonb to_number to_timestamp
  total trim trunc truncate typeof unix_timestamp union unnest upper user using utc_timestamp values
  var_pop variance version week when where with else case date_diff datetime julianday ifnull
  except intersect having limit offset join`.split(/\s+/),
)

const callsOnlyHarmless = (sql: string): boolean => {
  for (const [, schema, name] of sql.matchAll(/(\.\s*)?([\w$\u0080-\uffff]+)\s*\(/g))
    if (schema !== undefined || name === undefined || !harmlessFunctions.has(name.toLowerCase()))
      return false
  return true
}

/** `REPLACE(…)` and `TRUNCATE(…)` are functions in a select and statements at its start. */
const withoutFunctionTwins = (sql: string): string =>
  sql.replace(/\b(?:replace|truncate)(?=\s*\()/gi, 'fn')

const shows = /^\s*show\b/i

/** Whether the statement is proved to read only: no write, no lock, no sequence, one statement. */
export const isProvablyReadOnly = (sql: string): boolean =>
  onlyReads(sql, opaque) && (!sql.includes('[') || onlyReads(sql, opaqueWithBrackets))

const onlyReads = (sql: string, hidden: RegExp): boolean => {
  const bare = sql.replace(hidden, (text) => (/^['"`[]/.test(text) ? ' x ' : ' '))
  if (unprovable.test(bare) || !readingStart.test(bare)) return false
  if (shows.test(bare)) return true
  return !writingWords.test(withoutFunctionTwins(bare)) && callsOnlyHarmless(bare)
}

/** Statements that frame a transaction without writing. One of them and no more: PostgreSQL runs all that
 *  a text holds, and MariaDB's `BEGIN NOT ATOMIC` holds statements. */
const framing =
  /^\s*(?:start\s+transaction|begin|commit|rollback|savepoint|release\s+savepoint|set\s+transaction\s+isolation|pragma\s+read_uncommitted)\b[^;]*;?\s*$/i

/** Whether the statement opens, closes or marks a transaction. */
export const framesTransaction = (sql: string): boolean => framing.test(sql)
