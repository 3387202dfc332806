import { expect } from 'chai'
import { Propagation, Transactional } from 'typeorm-transactional'
import { Shard } from '../../../../lib/index.js'
import { Account, Author, Post } from '../../../support/entities/index.js'
import type { Bed } from '../../scenarios/bed.js'
import type { Scenario } from '../../scenarios/scenario.js'
import { failure, onServers, propagating, rule, transactional } from './support.js'

/** Every way to work without naming a manager, and what it sends. */
const ways: readonly [string, (bed: Bed) => Promise<unknown>, readonly string[]][] = [
  ['a repository', ({ captured }) => captured.authors.save({ name: 'x' }), ['insert author']],
  ['an extended one', ({ captured }) => captured.extended.named('x'), ['select author']],
  ['a class of one’s own', ({ captured }) => captured.desk.hire('x'), ['insert author']],
  ['a tree repository', ({ captured }) => captured.places.findRoots(), ['select place']],
  ['a repository of this call', ({ db }) => db.getRepository(Post).find(), ['select post']],
  ['an entity class', () => Account.create({ holder: 'x' }).save(), ['insert account']],
  ['the manager', ({ db }) => db.manager.update(Author, 1, { name: 'y' }), ['update author']],
  ['raw SQL', ({ db }) => db.query('SELECT id FROM author'), ['select author']],
  ['the sql tag', ({ db }) => db.sql`SELECT id FROM author`, ['select author']],
  ['a builder', ({ db }) => db.createQueryBuilder(Author, 'author').getMany(), ['select author']],
  [
    'a write builder',
    ({ db }) => db.createQueryBuilder().delete().from(Author).where('id = 2').execute(),
    ['delete author'],
  ],
  [
    'a relation builder',
    ({ db }) => db.createQueryBuilder().relation(Author, 'posts').of(1).loadMany(),
    ['select post'],
  ],
]

/** What belongs to the service layer of an application. */
class Hiring {
  readonly #bed: Bed
  constructor(bed: Bed) {
    this.#bed = bed
  }

  @Transactional()
  async hire(name: string): Promise<Author> {
    return this.#bed.captured.authors.save({ name })
  }

  @Shard('s2')
  @Transactional()
  async hireOnS2(name: string): Promise<Author> {
    return this.#bed.captured.authors.save({ name })
  }

  @Transactional()
  @Shard('s2')
  async hireInTheWrongOrder(name: string): Promise<Author> {
    return this.#bed.captured.authors.save({ name })
  }
}

const joining = ways.map(([title, work, sent]) =>
  rule(`${title} joins the transaction on the shard of the scope`, async (bed) => {
    const statements = await bed.statementsDuring(async () => {
      const error = await failure(() =>
        bed.db.using('s3', () =>
          transactional(async () => {
            await work(bed)
            throw new Error('changed my mind')
          }),
        ),
      )
      expect(error).to.have.property('message', 'changed my mind')
    })
    expect(statements).to.deep.equal({ s3: ['begin', ...sent, 'rollback'] })
  }),
)

const decorators = [
  rule('a decorated method begins on the shard of the scope', async (bed) => {
    const author = await bed.db.using('s1', () => new Hiring(bed).hire('Ana'))
    expect(bed.db.octopus.shardOf(author)).to.equal('s1')
    expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['Ana'] })
  }),

  rule('@Shard above @Transactional begins on its shard', async (bed) => {
    const hiring = new Hiring(bed)
    const statements = await bed.statementsDuring(() =>
      bed.db.using('s1', () => hiring.hireOnS2('Ana')),
    )
    expect(statements).to.deep.equal({ s2: ['begin', 'insert author', 'commit'] })
  }),

  rule('@Shard below @Transactional is a scope of another shard', async (bed) => {
    const hiring = new Hiring(bed)
    const statements = await bed.statementsDuring(async () => {
      const error = await failure(() => bed.db.using('s1', () => hiring.hireInTheWrongOrder('Ana')))
      expect(error).to.have.property('code', 'cross-shard')
    })
    expect(statements).to.deep.equal({ s1: ['begin', 'rollback'] })
  }),

  rule(
    'an inner method joins, and one of REQUIRES_NEW does not',
    async (bed) => {
      const hiring = new Hiring(bed)
      const program = () =>
        transactional(async () => {
          await hiring.hire('joins')
          await propagating(Propagation.REQUIRES_NEW, () => hiring.hire('stays'))
          throw new Error('changed my mind')
        })
      await failure(() => bed.db.using('s1', program))
      expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['stays'] })
    },
    onServers,
  ),
]

const refused = [
  rule('each of them is refused in a younger scope of another shard', async (bed) => {
    for (const [title, work] of ways) {
      const statements = await bed.statementsDuring(async () => {
        const error = await failure(() =>
          bed.db.using('s1', () => transactional(() => bed.db.using('s2', () => work(bed)))),
        )
        expect(error, title).to.have.property('code', 'cross-shard')
        expect(error, title).to.deep.include({ shards: ['s1', 's2'] })
      })
      expect(statements, title).to.deep.equal({ s1: ['begin', 'rollback'] })
    }
  }),

  rule('each of them stays on its shard in a scope that is older', async (bed) => {
    for (const [title, work, sent] of ways) {
      const statements = await bed.statementsDuring(() =>
        bed.db.using('s2', () => bed.db.using('s1', () => transactional(() => work(bed)))),
      )
      expect(Object.keys(statements), title).to.deep.equal(['s1'])
      expect(statements['s1'], title).to.deep.equal(['begin', ...sent, 'commit'])
    }
  }),
]

/** Everything of a data source that joins a transaction, and where. */
export const members: readonly Scenario[] = [...joining, ...decorators, ...refused]
