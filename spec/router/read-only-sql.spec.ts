import { expect } from 'chai'
import fc from 'fast-check'
import { framesTransaction, isProvablyReadOnly } from '../../lib/router/read-only-sql.js'
import { engines } from './scanners.js'
import { reads, writes } from './statements.js'

const sentence = (title: string, verb: string): string => `${verb}: ${title}`

describe('isProvablyReadOnly', () => {
  for (const [title, statements] of Object.entries(reads))
    it(sentence(title, 'is true of'), () => {
      expect(statements.filter((sql) => !isProvablyReadOnly(sql))).to.deep.equal([])
    })

  for (const [title, statements] of Object.entries(writes))
    it(sentence(title, 'is false of'), () => {
      expect(statements.filter((sql) => isProvablyReadOnly(sql))).to.deep.equal([])
    })

  const hidden = [
    'INSERT INTO t VALUES (1) RETURNING id',
    'UPDATE t SET a = 1',
    'DELETE FROM t',
    'cleanup()',
    "nextval('s')",
    'FOR UPDATE',
    'FOR SHARE',
    'INTO OUTFILE "/tmp/x"',
    '; DROP TABLE t',
    '@a := 1',
  ]
  const gap = fc.constantFrom(
    ' ',
    '\n',
    '\r',
    '\t',
    '/**/',
    ' -- x\n',
    '/* delete */',
    ' ( ',
    ' ) ',
  )
  const harmless = fc.constantFrom(
    'SELECT 1',
    'a, b',
    'FROM t',
    "'text'",
    "'it''s'",
    '`name`',
    '"name"',
    '[name]',
    "''",
    'WITH x AS (SELECT 1)',
    'COUNT(*)',
    '= $1',
  )

  it('is false of anything with a write outside literals, names and comments', () => {
    const piece = fc.tuple(gap, harmless).map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        fc.array(piece, { maxLength: 6 }),
        gap,
        gap,
        fc.constantFrom(...hidden),
        (before, after, left, right, write) => {
          const sql = `SELECT 1${before.join('')}${left}${write}${right}${after.join('')}`
          expect(isProvablyReadOnly(sql), sql).to.equal(false)
        },
      ),
      { numRuns: 5000 },
    )
  })

  it('is not confused by any order of quotes, comments and brackets around a write', () => {
    const token = fc.constantFrom(
      "'",
      '"',
      '`',
      '[',
      ']',
      '\\',
      '--',
      '/*',
      '*/',
      '\n',
      '\r',
      ' ',
      'a',
      '$',
    )
    const tokens = fc.array(token, { maxLength: 10 }).map((list) => list.join(''))
    fc.assert(
      fc.property(tokens, tokens, (before, after) => {
        const sql = `SELECT 1 ${before} DELETE FROM t ${after}`
        const isSeen = engines.some((scan) => scan(sql).includes('DELETE'))
        if (isSeen) expect(isProvablyReadOnly(sql), sql).to.equal(false)
      }),
      { numRuns: 20_000 },
    )
  })

  it('reads long literals and long blanks in no time', () => {
    const long = 20_000_000
    const startedAt = performance.now()
    expect(isProvablyReadOnly(`SELECT '${'x'.repeat(long)}'`)).to.equal(true)
    expect(isProvablyReadOnly(`${' '.repeat(100_000)}#`)).to.equal(false)
    expect(performance.now() - startedAt).to.be.below(2000)
  })
})

describe('framesTransaction', () => {
  it('knows what opens, closes and marks a transaction', () => {
    for (const sql of [
      'START TRANSACTION',
      'START TRANSACTION READ ONLY',
      'BEGIN',
      'BEGIN TRANSACTION',
      'COMMIT',
      'rollback to savepoint a',
      'SAVEPOINT a',
      'RELEASE SAVEPOINT a',
      'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
      'COMMIT ;\n',
    ])
      expect(framesTransaction(sql), sql).to.equal(true)
  })

  it('takes none for it that is followed by another statement', () => {
    for (const sql of [
      'BEGIN; DELETE FROM t; COMMIT',
      'COMMIT; DROP TABLE t',
      'SAVEPOINT a;DELETE FROM t',
      'BEGIN NOT ATOMIC DELETE FROM t; END',
    ])
      expect(framesTransaction(sql), sql).to.equal(false)
  })

  it('takes nothing else for it', () => {
    for (const sql of ['SELECT 1', 'INSERT INTO t VALUES (1)', 'SET NAMES utf8', 'committed()'])
      expect(framesTransaction(sql), sql).to.equal(false)
  })
})
