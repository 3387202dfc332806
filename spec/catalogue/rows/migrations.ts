import { expect } from 'chai'
import { CrossShardError } from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { Dog } from '../entities/replication.js'
import { type Row, row } from '../row.js'
import {
  AddStays1700000000001,
  AddVisits1700000000000,
  first,
  firstLook,
  look,
  migrated,
  undo,
  visitsFirst,
  withMigrations,
} from './migrating.js'

/** Octopus's migration_spec.rb. */
export const migrations: readonly Row[] = [
  row(
    'MG1',
    'migrations run on the default shard only, where no shard is named',
    { master: first },
    (world) =>
      withMigrations(world, {}, async (db) => {
        await db.runMigrations()
        expect(await migrated(world)).to.deep.equal(['master'])
      }),
  ),
  row('MG2', 'migrations run on the shard that is named', { canada: first }, (world) =>
    withMigrations(world, {}, async (db) => {
      await db.using('canada', () => db.runMigrations())
      expect(await migrated(world)).to.deep.equal(['canada'])
    }),
  ),
  row(
    'MG3',
    'migrations run on each of several shards that are named',
    { brazil: first, canada: [...first, ...look] },
    (world) =>
      withMigrations(world, {}, async (db) => {
        for (const shard of ['brazil', 'canada', 'canada'])
          await db.using(shard, () => db.runMigrations())
        expect(await migrated(world)).to.deep.equal(['brazil', 'canada'])
      }),
  ),
  row(
    'MG4',
    'migrations run on the shards of a group',
    { brazil: first, canada: [...first, ...look] },
    (world) =>
      withMigrations(world, {}, async (db) => {
        await db.usingGroup('americas', () => db.runMigrations())
        expect(await db.using('canada', () => db.showMigrations())).to.equal(false)
        expect(await migrated(world)).to.deep.equal(['brazil', 'canada'])
      }),
  ),
  row(
    'MG5',
    'a revert inside a shard’s scope reverts on the shards of the group that it names',
    { brazil: undo, canada: [...undo, ...look] },
    (world) =>
      withMigrations(world, {}, async (db) => {
        await world.aside(() => db.usingAll(() => db.runMigrations()))
        await db.using('russia', () => db.usingGroup('americas', () => db.undoLastMigration()))
        expect(await db.using('canada', () => db.showMigrations())).to.equal(true)
        expect(await migrated(world)).to.deep.equal(['master', 'russia'])
      }),
  ),
  row(
    'MG6',
    'a shard of several groups is migrated once',
    {
      brazil: [...first, ...look],
      canada: [...first, ...look, ...look],
      master: first,
      russia: [...first, 'select repl_visits'],
    },
    (world) =>
      withMigrations(world, {}, async (db) => {
        const ran = await db.usingGroup('americas', () => db.runMigrations())
        expect(ran.map(({ value }) => value.length)).to.deep.equal([1, 1])
        const again = await db.usingGroup('all', () => db.runMigrations())
        const news = again.filter(({ value }) => value.length > 0)
        expect(news.map(({ shard }) => shard)).to.have.members(['master', 'russia'])
        await db.using('canada', () => db.runMigrations())
        await db.using('russia', () => db.query('SELECT id FROM repl_visits'))
      }),
  ),
  row(
    'MG7',
    'a migration’s runner in a scope of another shard is an error, and that shard is not touched',
    { canada: [...visitsFirst, 'rollback'] },
    (world) => {
      let own = world.db
      class Strays1700000000000 extends AddVisits1700000000000 {
        override async up(...[runner]: Parameters<AddVisits1700000000000['up']>): Promise<void> {
          await super.up(runner)
          await own.using('brazil', () => runner.query("INSERT INTO repl_dog (name) VALUES ('x')"))
        }
      }
      return withMigrations(world, { migrations: [Strays1700000000000] }, async (db) => {
        own = db
        const error = await failureOf(() => db.using('canada', () => db.runMigrations()))
        expect(error).to.be.instanceOf(CrossShardError)
        expect(error).to.have.deep.property('shards', ['canada', 'brazil'])
      })
    },
  ),
  row(
    'MG8',
    'a migration works on another shard through that shard’s handle',
    { canada: first, brazil: ['insert repl_dog'] },
    (world) => {
      class Visits1700000000000 extends AddVisits1700000000000 {
        override async up(...[runner]: Parameters<AddVisits1700000000000['up']>): Promise<void> {
          await super.up(runner)
          await world.db.shard('brazil').manager.insert(Dog, { name: 'Rex' })
        }
      }
      return withMigrations(world, { migrations: [Visits1700000000000] }, (db) =>
        db.using('canada', () => db.runMigrations()),
      )
    },
  ),
  row('MG9', 'on a shard with replicas migrations run on the primary', { russia: first }, (world) =>
    withMigrations(world, {}, (db) => db.using('russia', () => db.runMigrations())),
  ),
  row(
    'MG11',
    'each shard has a table of its own versions',
    { brazil: first, canada: [...first, 'select migrations'] },
    (world) =>
      withMigrations(world, {}, async (db) => {
        await db.usingGroup('americas', () => db.runMigrations())
        const name = 'AddVisits1700000000000'
        expect(await world.sql('brazil', 'SELECT name FROM migrations')).to.deep.equal([{ name }])
        const onCanada = db.using('canada', () => db.query('SELECT name FROM migrations'))
        expect(await onCanada).to.deep.equal([{ name }])
      }),
  ),
  row(
    'MG12',
    'a shard that lacks some versions catches up with those',
    {
      brazil: [
        ...visitsFirst,
        'insert migrations',
        'create repl_stays',
        'insert migrations',
        'commit',
      ],
      canada: [...look, 'begin', 'create repl_stays', 'insert migrations', 'commit'],
    },
    (world) =>
      withMigrations(world, {}, async (early) => {
        await world.aside(() => early.using('canada', () => early.runMigrations()))
        const both = { migrations: [AddVisits1700000000000, AddStays1700000000001] }
        await withMigrations(world, both, async (db) => {
          const ran = await db.usingGroup('americas', () => db.runMigrations())
          expect(ran.map(({ shard, value }) => [shard, value.length])).to.deep.equal([
            ['brazil', 2],
            ['canada', 1],
          ])
        })
      }),
  ),
  row(
    'MG13',
    'the shards of a group that is migrated by default do not include the default shard, unless it lists it',
    { brazil: first, canada: [...first, ...look], master: firstLook },
    (world) =>
      withMigrations(world, {}, async (db) => {
        await db.usingGroup('americas', () => db.runMigrations())
        expect(await db.showMigrations()).to.equal(true)
        expect(await db.using('canada', () => db.showMigrations())).to.equal(false)
        expect(await migrated(world)).to.deep.equal(['brazil', 'canada'])
      }),
  ),
]
