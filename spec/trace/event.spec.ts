import { expect } from 'chai'
import { statementKeyword } from '../../lib/trace/event.js'

describe('statementKeyword', () => {
  for (const [sql, keyword] of [
    ['select 1', 'SELECT'],
    ['  \n INSERT INTO t VALUES (1)', 'INSERT'],
    ['/* delete */ -- update\n ((SELECT 1))', 'SELECT'],
    ['/***/ /* * / **/ COMMIT', 'COMMIT'],
    ['-- only a comment', 'UNKNOWN'],
    ['', 'UNKNOWN'],
    ['@a = 1', 'UNKNOWN'],
    ['/* never closed', 'UNKNOWN'],
  ] as const)
    it(`of ${JSON.stringify(sql)} is ${keyword}`, () =>
      expect(statementKeyword(sql)).to.equal(keyword))

  it('takes no time for deeply indented statements that begin with no word', () => {
    const startedAt = performance.now()
    for (const start of [' ', '/**/', '-- x\n', '('])
      expect(statementKeyword(`${start.repeat(1000)}# SELECT`)).to.equal('UNKNOWN')
    expect(performance.now() - startedAt).to.be.below(1000)
  })
})
