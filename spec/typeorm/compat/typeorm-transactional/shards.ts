import { expect } from 'chai'
import { Propagation, runOnTransactionCommit } from 'typeorm-transactional'
import { Author } from '../../../support/entities/index.js'
import { until } from '../../../support/until.js'
import type { Bed } from '../../scenarios/bed.js'
import type { Scenario } from '../../scenarios/scenario.js'
import { failure, onServers, propagating, rule, transactional } from './support.js'

const begun = (...sent: string[]): string[] => ['begin', ...sent, 'commit']

const severalShards = [
  rule(
    'transactions at the same time on two shards do not mix',
    async (bed) => {
      const { db, captured } = bed
      const insertTwice = (shard: string) =>
        db.using(shard, () =>
          transactional(async () => {
            await captured.authors.insert({ name: `first on ${shard}` })
            await captured.manager.query('SELECT 1 AS n FROM author')
            await captured.authors.insert({ name: `second on ${shard}` })
          }),
        )
      const statements = await bed.statementsDuring(() =>
        Promise.all(['s1', 's2', 's1', 's2'].map(insertTwice)),
      )
      expect(Object.keys(statements)).to.have.members(['s1', 's2'])
      const names = await bed.added('author', 'name')
      for (const shard of ['s1', 's2'])
        expect(names[shard]).to.have.members(
          ['first', 'second', 'first', 'second'].map((each) => `${each} on ${shard}`),
        )
    },
    onServers,
  ),

  rule('REQUIRES_NEW inside a scope of another shard begins there', async (bed) => {
    const { db, captured } = bed
    const statements = await bed.statementsDuring(async () => {
      const error = await failure(() =>
        db.using('s1', () =>
          transactional(async () => {
            await captured.authors.insert({ name: 'outer' })
            await db.using('s2', () =>
              propagating(Propagation.REQUIRES_NEW, () =>
                captured.authors.insert({ name: 'inner' }),
              ),
            )
            await captured.authors.insert({ name: 'outer again' })
            throw new Error('changed my mind')
          }),
        ),
      )
      expect(error).to.have.property('message', 'changed my mind')
    })
    expect(statements).to.deep.equal({
      s1: ['begin', 'insert author', 'insert author', 'rollback'],
      s2: begun('insert author'),
    })
    expect(await bed.added('author', 'name')).to.deep.equal({ s2: ['inner'] })
  }),

  rule(
    'NOT_SUPPORTED inside a scope of another shard works there, without a transaction',
    async (bed) => {
      const { db, captured } = bed
      const statements = await bed.statementsDuring(() =>
        db.using('s1', () =>
          transactional(async () => {
            await db.using('s2', () =>
              propagating(Propagation.NOT_SUPPORTED, () =>
                captured.authors.insert({ name: 'there' }),
              ),
            )
            await captured.authors.insert({ name: 'here' })
          }),
        ),
      )
      expect(statements).to.deep.equal({ s1: begun('insert author'), s2: ['insert author'] })
    },
  ),

  rule(
    'REQUIRED, MANDATORY and SUPPORTS inside a scope of another shard are refused',
    async (bed) => {
      const { db, captured } = bed
      for (const propagation of ['REQUIRED', 'MANDATORY', 'SUPPORTS'] as const) {
        const statements = await bed.statementsDuring(async () => {
          const error = await failure(() =>
            db.using('s1', () =>
              transactional(() =>
                db.using('s2', () =>
                  propagating(Propagation[propagation], () =>
                    captured.authors.insert({ name: 'x' }),
                  ),
                ),
              ),
            ),
          )
          expect(error, propagation).to.have.property('code', 'cross-shard')
        })
        expect(statements, propagation).to.deep.equal({ s1: ['begin', 'rollback'] })
      }
    },
  ),
]

/** Reads authors on s3, which has two replicas; tells which servers answered. */
const readersOf =
  (bed: Bed) =>
  async (work: () => Promise<unknown>): Promise<string[]> =>
    Object.keys(await bed.statementsDuring(work)).map((name) =>
      name === 's3' ? 'primary' : 'replica',
    )

const replicas = [
  rule('what is read after the commit, in the scope, comes from the primary', async (bed) => {
    const readers = readersOf(bed)
    const { db, captured } = bed
    const program = async () => {
      await transactional(() => captured.authors.insert({ name: 'Ana' }))
      expect(await captured.authors.countBy({ name: 'Ana' })).to.equal(1)
    }
    expect(await readers(() => db.using('s3', program))).to.deep.equal(['primary'])
    expect(await readers(() => db.using('s3', () => captured.authors.count()))).to.deep.equal([
      'replica',
    ])
  }),

  rule('a commit hook reads what was written', async (bed) => {
    const { db, captured } = bed
    let seen: Promise<number> | undefined
    const statements = await bed.statementsDuring(async () => {
      await db.using('s3', () =>
        transactional(async () => {
          runOnTransactionCommit(() => {
            seen = captured.authors.countBy({ name: 'Ana' })
          })
          await captured.authors.insert({ name: 'Ana' })
        }),
      )
      expect(await until(() => seen, { what: 'the hook' })).to.equal(1)
    })
    expect(statements).to.deep.equal({ s3: [...begun('insert author'), 'select author'] })
  }),

  rule('reads without the transaction go to the primary while it is open', async (bed) => {
    const { db, captured } = bed
    const statements = await bed.statementsDuring(() =>
      db.using('s3', () =>
        transactional(async () => {
          await propagating(Propagation.NOT_SUPPORTED, () => captured.authors.find())
          await db.shard('s3').getRepository(Author).find()
        }),
      ),
    )
    expect(statements).to.deep.equal({
      s3: ['begin', 'select author', 'select author', 'commit'],
    })
  }),

  rule(
    'a transaction inside usingReplica is read-only, on one replica',
    async (bed) => {
      const { db, captured } = bed
      const statements = await bed.statementsDuring(() =>
        db.using('s3', () =>
          db.usingReplica(() =>
            transactional(async () => {
              await captured.authors.find()
              const error = await failure(() => captured.authors.insert({ name: 'lost' }))
              expect(error).to.have.property('code', 'read-only-scope')
            }),
          ),
        ),
      )
      const [[replica, sent] = ['', []]] = Object.entries(statements)
      expect(bed.replicaNames).to.include(replica)
      expect(sent).to.deep.equal(['begin read only', 'select author', 'commit'])
    },
    onServers,
  ),
]

/** Shards and replicas. */
export const shards: readonly Scenario[] = [...severalShards, ...replicas]
