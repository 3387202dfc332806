import { expect } from 'chai'
import { type ConnectionProxy, ReadOnlyScopeError } from '../../lib/index.js'
import { failureOf } from '../typeorm/compat/support.js'
import { Client } from './entities.js'
import type { Stage } from './stage.js'

type Work = (db: ConnectionProxy) => Promise<unknown>

const everywhere: readonly (readonly [what: string, work: Work])[] = [
  [
    'a find with a lock',
    (db) =>
      db.manager.find(Client, {
        where: { id: 1 },
        lock: { mode: 'pessimistic_write' },
        transaction: true,
      }),
  ],
  ['SQL with a lock', (db) => db.query('SELECT id FROM client WHERE id = 1 FOR UPDATE')],
  ['an insert that returns', (db) => db.query("INSERT INTO item (name) VALUES ('x') RETURNING id")],
]

const insertInWith = "WITH fresh AS (INSERT INTO item (name) VALUES ('x') RETURNING id)"

const own: Readonly<Record<Stage['engine'], typeof everywhere>> = {
  mariadb: [['the next number of a sequence', (db) => db.query('SELECT NEXTVAL(numbers) AS n')]],
  postgres: [
    ['the next number of a sequence', (db) => db.query("SELECT nextval('numbers') AS n")],
    ['an insert in WITH', (db) => db.query(`${insertInWith} SELECT id FROM fresh`)],
    [
      'an insert in a builder’s WITH',
      (db) =>
        db
          .createQueryBuilder()
          .addCommonTableExpression("INSERT INTO item (name) VALUES ('x') RETURNING id", 'fresh')
          .select('fresh.id', 'id')
          .from('fresh', 'fresh')
          .getRawMany(),
    ],
  ],
}

/** Statements that begin like a read. */
export const statements = (stage: () => Stage, engine: Stage['engine']): void => {
  describe('what looks like a read and is none', () => {
    before(async () => {
      await stage().db.query('CREATE SEQUENCE numbers')
      await stage().replicate()
    })
    after(() => stage().db.query('DROP SEQUENCE numbers'))

    for (const [what, work] of [...everywhere, ...own[engine]]) {
      it(`[T3] ${what} is on the primary`, async () => {
        const sent = await stage().sent(() => work(stage().db))
        expect(Object.keys(sent)).to.deep.equal(['master'])
      })

      it(`[T3] ${what} is refused in a replica scope, before any server is asked`, async () => {
        const { db } = stage()
        const sent = await stage().sent(async () => {
          const error = await failureOf(() => db.usingReplica(() => work(db)))
          expect(error).to.be.instanceOf(ReadOnlyScopeError)
        })
        expect(sent).to.deep.equal({})
      })
    }
  })

  it('[T3] SQL that only reads is on the primary, and on a replica where that is asked for', async () => {
    const { db } = stage()
    const { master, ...replicas } = await stage().sent(async () => {
      await db.query('SELECT 1')
      await db.usingReplica(() => db.query('SELECT 1'))
    })
    expect(master).to.deep.equal(['SELECT 1'])
    expect(Object.values(replicas)).to.deep.equal([['SELECT 1']])
  })
}
