import { expect } from 'chai'
import { MigrationEffects, inFewWords } from '../../lib/migrations/effects.js'

/** What is left behind of statements in a transaction. */
const left = (
  statements: readonly string[],
  { commits = false, inTransaction = true }: { commits?: boolean; inTransaction?: boolean } = {},
): readonly string[] => {
  const effects = new MigrationEffects()
  for (const sql of statements) {
    const definesSchema = /^(create|alter|drop)/i.test(sql)
    effects.note({
      shard: 'brazil',
      sql,
      inTransaction,
      commits: commits && definesSchema,
      connection: 'one',
    })
  }
  return effects.leftBehind.flatMap((each) => each.statements)
}

describe('what a migration leaves behind when it fails', () => {
  const statements = ['INSERT INTO a VALUES (1)', 'CREATE TABLE b (id INT)', 'UPDATE a SET x = 1']

  it('is nothing of a transaction that is rolled back', () => {
    expect(left(statements)).to.deep.equal([])
  })

  it('is everything where a change of the schema commits, also what came before and after it', () => {
    expect(left(statements, { commits: true })).to.deep.equal([
      'INSERT',
      'CREATE TABLE b',
      'UPDATE',
    ])
    expect(left(['INSERT INTO a VALUES (1)', 'SELECT 1'], { commits: true })).to.deep.equal([])
  })

  it('is everything outside a transaction, but what only reads', () => {
    expect(left([...statements, 'SELECT * FROM a'], { inTransaction: false })).to.have.length(3)
  })

  it('is what was committed, and not what was rolled back', () => {
    const inserts = ['INSERT INTO a VALUES (1)', 'INSERT INTO a VALUES (2)']
    expect(left(['START TRANSACTION', ...inserts, 'COMMIT'])).to.deep.equal(['INSERT × 2'])
    expect(left(['START TRANSACTION', ...inserts, 'ROLLBACK'])).to.deep.equal([])
    expect(left([...inserts, 'ROLLBACK TO SAVEPOINT a', 'COMMIT'])).to.deep.equal(['INSERT × 2'])
  })

  it('is told in few words, without a value', () => {
    for (const [sql, words] of [
      ['CREATE TABLE IF NOT EXISTS `shop`.`visits` (id INT)', 'CREATE TABLE shop.visits'],
      ['alter table "visits" add column x int', 'ALTER TABLE visits'],
      ['CREATE UNIQUE INDEX ix ON visits (id)', 'CREATE UNIQUE INDEX ix'],
      ["CREATE USER bob IDENTIFIED BY 'secret'", 'CREATE'],
      ["ALTER ROLE bob PASSWORD 'secret'", 'ALTER'],
      ["INSERT INTO a VALUES ('secret')", 'INSERT'],
    ] as const)
      expect(inFewWords(sql)).to.equal(words)
  })

  it('counts the statements by shard', () => {
    const effects = new MigrationEffects()
    for (const shard of ['brazil', 'canada', 'brazil'])
      effects.note({
        shard,
        sql: 'SELECT 1',
        inTransaction: false,
        commits: false,
        connection: shard,
      })
    expect(effects.byShard).to.deep.equal([
      { shard: 'brazil', statements: 2 },
      { shard: 'canada', statements: 1 },
    ])
  })
})
