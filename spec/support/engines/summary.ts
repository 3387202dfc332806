/** The name of a table, which the engines quote in their own ways. */
const name = '["`]?(?:\\w+["`]?\\.["`]?)?([\\w-]+)["`]?'

const patterns: readonly (readonly [RegExp, (table: string) => string | undefined])[] = [
  // What a driver of SQLite asks its own database for; other engines answer it with the insert.
  [/^(?:PRAGMA\b|SELECT last_insert_rowid\(\))/i, () => undefined],
  [/^START TRANSACTION READ ONLY/i, () => 'begin read only'],
  [/^(?:START TRANSACTION|BEGIN)\b/i, () => 'begin'],
  [/^COMMIT/i, () => 'commit'],
  [/^ROLLBACK TO/i, () => 'rollback to savepoint'],
  [/^ROLLBACK/i, () => 'rollback'],
  [/^SAVEPOINT/i, () => 'savepoint'],
  [/^RELEASE SAVEPOINT/i, () => 'release savepoint'],
  // Where an engine keeps which tables it has.
  [
    /^SELECT\b.*?\bFROM\s+["`]?(?:information_schema["`]?\.|sqlite_master\b)/is,
    () => 'select schema',
  ],
  [
    new RegExp(
      `^SELECT\\b.*?\\bFROM\\s+(?:\\(\\s*SELECT\\b.*?\\bFROM\\s+)?${name}.*FOR UPDATE`,
      'is',
    ),
    (table) => `lock ${table}`,
  ],
  [
    new RegExp(`^SELECT\\b.*?\\bFROM\\s+(?:\\(\\s*SELECT\\b.*?\\bFROM\\s+)?${name}`, 'is'),
    (table) => `select ${table}`,
  ],
  [new RegExp(`^INSERT\\s+INTO\\s+${name}`, 'i'), (table) => `insert ${table}`],
  [new RegExp(`^UPDATE\\s+${name}`, 'i'), (table) => `update ${table}`],
  [new RegExp(`^DELETE\\s+FROM\\s+${name}`, 'i'), (table) => `delete ${table}`],
  // SQLite has no TRUNCATE; TypeORM deletes there.
  [new RegExp(`^TRUNCATE\\s+TABLE\\s+${name}`, 'i'), (table) => `delete ${table}`],
  [new RegExp(`^CREATE\\s+TABLE\\s+${name}`, 'i'), (table) => `create ${table}`],
  [new RegExp(`^DROP\\s+TABLE\\s+${name}`, 'i'), (table) => `drop ${table}`],
]

/** What a statement does, in words that are the same on every engine; undefined for a driver's own. */
const summaryOf = (sql: string): string | undefined => {
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(sql.trim())
    if (found !== null) return words(found[1] ?? '')
  }
  return sql
}

/** What statements do, in words that are the same on every engine: `select author`, `begin`. */
export const summaries = (statements: readonly string[]): string[] =>
  statements.map(summaryOf).filter((summary) => summary !== undefined)
