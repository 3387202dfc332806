import { expect } from 'chai'
import { DataSource } from 'typeorm'
import { octopus } from '../../lib/index.js'
import { fixture } from './support.js'

/** The statements of a script, each of which ends with its line. */
const statementsIn = (script: string): string[] =>
  script
    .replaceAll(/^--.*$/gm, '')
    .split(/;\n/)
    .filter((sql) => sql.trim() !== '')

describe('schema.diff() on sql.js', () => {
  it('finds what differs, also what only the stored CREATE TABLE tells', async () => {
    const db = octopus(new DataSource({ type: 'sqljs' }), {
      defaultShard: 'brazil',
      shards: { canada: {}, chile: {} },
    })
    await db.initialize()
    const { base, drift } = fixture('sqlite')
    for (const shard of ['brazil', 'canada', 'chile'])
      for (const sql of statementsIn(base)) await db.shard(shard).query(sql)
    for (const sql of statementsIn(drift)) await db.shard('canada').query(sql)

    const { shards } = await db.octopus.schema.diff()
    await db.destroy()
    expect(shards.map(({ status }) => status)).to.deep.equal(['reference', 'different', 'same'])
    const [, canada] = shards
    const found = canada?.status === 'different' ? canada.differences : []
    expect(
      found.map(({ kind, name, reference, actual }) => [kind, name, reference, actual]),
    ).to.have.deep.members([
      ['options', 'customers', undefined, 'WITHOUT ROWID'],
      ['nullability', 'id', 'NULL', 'NOT NULL'],
      ['generation', 'id', 'AUTOINCREMENT', undefined],
      ['collation', 'name', 'NOCASE', undefined],
      ['type', 'country', 'varchar(2)', 'varchar(3)'],
      ['nullability', 'score', 'NOT NULL', 'NULL'],
      ['default', 'score', '0', '1'],
      ['generation', 'doubled', 'AS (score * 2) STORED', 'AS (score * 3) STORED'],
      ['column', 'note', "varchar(20) DEFAULT 'a, b (c)'", undefined],
      ['column', 'extra', undefined, 'INT'],
      ['unique', 'sqlite_autoindex_customers_1', 'UNIQUE btree (email)', undefined],
      ['unique', 'customers_by_note', 'UNIQUE INDEX btree (lower(note))', undefined],
      [
        'index',
        'customers_by_name',
        'btree (name DESC) WHERE score > 0',
        'btree (name DESC) WHERE score > 5',
      ],
      [
        'foreign key',
        'country',
        '(country) REFERENCES countries (code) ON DELETE CASCADE ON UPDATE NO ACTION',
        '(country) REFERENCES countries (code) ON DELETE NO ACTION ON UPDATE NO ACTION',
      ],
      ['check', 'customers_score', "score >= 0 AND score <> ')'", "score >= 1 AND score <> ')'"],
      ['check', 'length(name) > 0', 'length(name) > 0', undefined],
      [
        'trigger',
        'no_score',
        'CREATE TRIGGER no_score AFTER INSERT ON customers BEGIN UPDATE customers SET score = 0; END',
        undefined,
      ],
      ['view', 'names', 'view with 0 columns', undefined],
    ])
  })
})
