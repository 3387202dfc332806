import { expect } from 'chai'
import { addTransactionalDataSource, deleteDataSourceByName } from 'typeorm-transactional'
import { Author } from '../../../support/entities/index.js'
import type { Scenario } from '../../scenarios/scenario.js'
import { Hand, failure, onServers, rule, transactional } from './support.js'

const begun = (...sent: string[]): string[] => ['begin', ...sent, 'commit']

/** Handles, and data sources by name. */
export const handles: readonly Scenario[] = [
  rule(
    'a handle takes no part: it is on its own shard, and on a connection of its own',
    async (bed) => {
      const { db } = bed
      const s2 = db.shard('s2')
      const statements = await bed.statementsDuring(() =>
        db
          .using('s1', () =>
            transactional(async () => {
              await s2.getRepository(Author).insert({ name: 'by a repository' })
              await s2.getRepository(Author).extend({}).insert({ name: 'by an extended one' })
              await s2.manager.insert(Author, { name: 'by the manager' })
              await s2.query("INSERT INTO author (name) VALUES ('by SQL')")
              await s2.createQueryBuilder(Author, 'author').getCount()
              await s2.transaction((manager) => manager.insert(Author, { name: 'by its own' }))
              throw new Error('changed my mind')
            }),
          )
          .catch(() => undefined),
      )
      expect(statements).to.deep.equal({
        s1: ['begin', 'rollback'],
        s2: [
          ...Array.from({ length: 4 }, () => 'insert author'),
          'select author',
          ...begun('insert author'),
        ],
      })
      expect((await bed.added('author', 'name'))['s2']).to.have.length(5)
    },
  ),

  rule('a handle that has a name of its own has transactions of its own', async (bed) => {
    const { db } = bed
    const s2 = db.shard('s2')
    addTransactionalDataSource({ name: 's2', dataSource: s2 })
    try {
      const onS2 = s2.getRepository(Author)
      const statements = await bed.statementsDuring(() =>
        db.using('s1', () =>
          transactional(async () => {
            await bed.captured.authors.insert({ name: 'outer' })
            const error = await failure(() =>
              transactional(
                async () => {
                  await onS2.insert({ name: 'lost' })
                  await s2.manager.insert(Author, { name: 'lost too' })
                  await s2.query("INSERT INTO author (name) VALUES ('this too')")
                  expect(await s2.createQueryBuilder(Author, 'author').getCount()).to.equal(5)
                  throw new Error('changed my mind')
                },
                { connectionName: 's2' },
              ),
            )
            expect(error).to.have.property('message', 'changed my mind')
          }),
        ),
      )
      expect(statements).to.deep.equal({
        s1: begun('insert author'),
        s2: [
          'begin',
          ...Array.from({ length: 3 }, () => 'insert author'),
          'select author',
          'rollback',
        ],
      })
      expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['outer'] })
      await db.using('s2', () => db.getRepository(Author).find())
      const [found] = await onS2.createQueryBuilder('author').getMany()
      expect(db.octopus.shardOf(found!)).to.equal('s2')
    } finally {
      deleteDataSourceByName('s2')
    }
  }),

  rule(
    'a second wrapped data source has transactions by its own name',
    async (bed) => {
      const other = bed.wrapAgain([Hand])
      await other.initialize()
      addTransactionalDataSource({ name: 'other', dataSource: other })
      try {
        const others = other.getRepository(Hand)
        const statements = await bed.statementsDuring(() =>
          bed.db.using('s1', () =>
            transactional(async () => {
              await bed.captured.authors.insert({ name: 'mine' })
              await other.using('s2', () =>
                transactional(() => others.insert({ name: 'theirs' }), { connectionName: 'other' }),
              )
            }),
          ),
        )
        expect(statements['s1']).to.deep.equal(begun('insert author'))
        expect(statements['s2']?.slice(-3)).to.deep.equal(begun('insert author'))
      } finally {
        deleteDataSourceByName('other')
        await other.destroy()
      }
    },
    onServers,
  ),
]
