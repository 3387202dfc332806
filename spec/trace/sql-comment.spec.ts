import { expect } from 'chai'
import fc from 'fast-check'
import { sqlComment, withComment } from '../../lib/trace/sql-comment.js'

const comment = "/*shard='brazil'*/"

describe('sqlComment', () => {
  it('sorts its keys and puts the values in quotes', () => {
    expect(sqlComment({ shard: 'brazil', role: 'replica', reason: 'raw query' })).to.equal(
      "/*reason='raw%20query',role='replica',shard='brazil'*/",
    )
  })

  it('is ended by no value, nor holds anything that a driver replaces', () => {
    for (const value of [
      '*/ DROP TABLE user; --',
      "' OR 1=1",
      '/*!50000 SLEEP(9) */',
      '? :id $1 %',
    ])
      expect(sqlComment({ shard: value })).to.match(/^\/\*shard='[\w%.~-]*'\*\/$/)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (shard, reason) => {
        const text = sqlComment({ shard, reason })
        expect(text).to.match(/^\/\*reason='[\w%.~-]*',shard='[\w%.~-]*'\*\/$/)
        const [, told = ''] = /shard='([^']*)'/.exec(text) ?? []
        expect(decodeURIComponent(told)).to.equal(shard)
      }),
    )
  })
})

describe('a statement with a comment', () => {
  for (const [sql, expected] of [
    ['SELECT 1', `SELECT 1 ${comment}`],
    ['SELECT 1;', `SELECT 1 ${comment};`],
    ['SELECT 1 ; \n', `SELECT 1 ${comment} ; \n`],
    ['SELECT 1 -- why\n', `SELECT 1 -- why\n${comment}\n`],
    ['SELECT 1 # why', `SELECT 1 # why\n${comment}`],
    ["SELECT ';'", `SELECT ';' ${comment}`],
    ['SELECT 1 /* mine */', 'SELECT 1 /* mine */'],
    ['/* mine */ SELECT 1', `/* mine */ SELECT 1 ${comment}`],
    ['CREATE VIEW v AS SELECT 1', 'CREATE VIEW v AS SELECT 1'],
    ['/* v2 */ -- mine\nCREATE VIEW v AS SELECT 1', '/* v2 */ -- mine\nCREATE VIEW v AS SELECT 1'],
    ['/* create */ SELECT 1', `/* create */ SELECT 1 ${comment}`],
    [' alter table t add c int', ' alter table t add c int'],
    ['START TRANSACTION READ ONLY', `START TRANSACTION READ ONLY ${comment}`],
    ['', ''],
    [' ; ', ' ; '],
  ] as const)
    it(`of ${JSON.stringify(sql)} is ${JSON.stringify(expected)}`, () =>
      expect(withComment(sql, comment)).to.equal(expected))

  it('takes no time for long runs of white space', () => {
    const sql = `SELECT 1${' '.repeat(20_000)}x`
    expect(withComment(sql, comment)).to.equal(`${sql} ${comment}`)
  })
})
