import { expect } from 'chai'
import {
  type ConnectionProxy,
  CrossShardError,
  MigrationPlanError,
  type ShardMigration,
  octopusOf,
} from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { Dog } from '../entities/replication.js'
import { type Row, row } from '../row.js'
import {
  AddStays1700000000001,
  AddVisits1700000000000,
  first,
  look,
  migrated,
  undo,
  visitsFirst,
  visitsOn,
  withMigrations,
} from './migrating.js'

/** Octopus's migration_spec.rb. */
export const migrations: readonly Row[] = [
  row(
    'MG1',
    'migrations that name no shard run where migrations.default says, and are an error without it',
    { master: first },
    async (world) => {
      await withMigrations(world, {}, async (db) => {
        const error = await failureOf(() => db.runMigrations())
        expect(error).to.be.instanceOf(MigrationPlanError)
        expect(error)
          .to.have.property('message')
          .that.includes('shards: master, brazil, canada, russia; groups: americas, all')
      })
      await withMigrations(
        world,
        {},
        async (db) => {
          await db.runMigrations()
          expect(await migrated(world)).to.deep.equal(['master'])
        },
        'default',
      )
    },
  ),
  row('MG2', 'a migration runs on the shard that it names', { canada: first }, (world) =>
    withMigrations(world, { migrations: [visitsOn({ shard: 'canada' })] }, async (db) => {
      await db.runMigrations()
      expect(await migrated(world)).to.deep.equal(['canada'])
    }),
  ),
  row(
    'MG3',
    'a migration runs once on each of several shards that it names',
    { brazil: first, canada: [...first, ...look] },
    (world) => {
      const migrations = [visitsOn({ shards: ['brazil', 'canada', 'canada'] })]
      return withMigrations(world, { migrations }, async (db) => {
        await db.runMigrations()
        await db.using('canada', () => db.runMigrations())
        expect(await migrated(world)).to.deep.equal(['brazil', 'canada'])
      })
    },
  ),
  row(
    'MG4',
    'a migration runs on the shards of a group',
    { brazil: first, canada: [...first, ...look] },
    (world) =>
      withMigrations(world, { migrations: [visitsOn({ group: 'americas' })] }, async (db) => {
        await db.runMigrations()
        expect(await db.using('canada', () => db.showMigrations())).to.equal(false)
        expect(await migrated(world)).to.deep.equal(['brazil', 'canada'])
      }),
  ),
  row(
    'MG5',
    'a migration is reverted on the shards on which it runs',
    { brazil: undo, canada: [...undo, ...look] },
    (world) =>
      withMigrations(world, { migrations: [visitsOn({ group: 'americas' })] }, async (db) => {
        await world.aside(async () => {
          await db.runMigrations()
          expect(await migrated(world)).to.deep.equal(['brazil', 'canada'])
        })
        await db.undoLastMigration()
        expect(await db.using('canada', () => db.showMigrations())).to.equal(true)
        expect(await migrated(world)).to.deep.equal([])
      }),
  ),
  row(
    'MG6',
    'a shard that several of the named groups have is migrated once',
    {
      master: first,
      brazil: [...first, ...look],
      canada: [...first, ...look, ...look],
      russia: [...first, 'select repl_visits'],
    },
    (world) => {
      const migrations = [visitsOn({ groups: ['americas', 'all'], shards: 'russia' })]
      return withMigrations(world, { migrations }, async (db) => {
        const ran = await db.runMigrations()
        expect(ran.map((each) => (each as ShardMigration).shard)).to.deep.equal([
          'master',
          'brazil',
          'canada',
          'russia',
        ])
        await db.usingGroup('americas', () => db.runMigrations())
        await db.using('canada', () => db.runMigrations())
        await db.using('russia', () => db.query('SELECT id FROM repl_visits'))
      })
    },
  ),
  row(
    'MG7',
    'a migration’s runner in a scope of another shard is an error, and that shard is not touched',
    { canada: [...visitsFirst, 'rollback', ...look] },
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
    'a migration works on another shard through octopusOf(queryRunner)',
    { canada: first, brazil: ['insert repl_dog'] },
    (world) => {
      class Visits1700000000000 extends AddVisits1700000000000 {
        override async up(...[runner]: Parameters<AddVisits1700000000000['up']>): Promise<void> {
          await super.up(runner)
          await octopusOf(runner).shard('brazil').manager.insert(Dog, { name: 'Rex' })
        }
      }
      return withMigrations(world, { migrations: [Visits1700000000000] }, async (db) => {
        const { shards } = await db.octopus.migrations.run({ shards: ['canada'] })
        const effects = shards[0]?.finished[0]?.effects.map(({ shard }) => shard)
        expect(effects).to.deep.equal(['canada', 'brazil'])
      })
    },
  ),
  row('MG9', 'on a shard with replicas migrations run on the primary', { russia: first }, (world) =>
    withMigrations(world, { migrations: [visitsOn({ shard: 'russia' })] }, (db) =>
      db.runMigrations(),
    ),
  ),
  row(
    'MG11',
    'each shard has a table of its own versions',
    { brazil: first, canada: [...first, 'select migrations'] },
    (world) =>
      withMigrations(world, { migrations: [visitsOn({ group: 'americas' })] }, async (db) => {
        await db.runMigrations()
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
      canada: [...look, ...look, 'begin', 'create repl_stays', 'insert migrations', 'commit'],
    },
    (world) =>
      withMigrations(world, {}, async (early) => {
        await world.aside(() => early.using('canada', () => early.runMigrations()))
        const both = { migrations: [AddVisits1700000000000, AddStays1700000000001] }
        const catchUp = async (db: ConnectionProxy): Promise<void> => {
          const ran = await db.runMigrations()
          expect(ran.map((each) => [(each as ShardMigration).shard, each.name])).to.deep.equal([
            ['brazil', 'AddVisits1700000000000'],
            ['brazil', 'AddStays1700000000001'],
            ['canada', 'AddStays1700000000001'],
          ])
        }
        await withMigrations(world, both, catchUp, 'americas')
      }),
  ),
  row(
    'MG13',
    'the shards of a group that is migrated by default do not include the default shard, unless it lists it',
    { brazil: first, canada: [...first, ...look] },
    (world) =>
      withMigrations(
        world,
        {},
        async (db) => {
          await db.runMigrations()
          expect(await db.using('canada', () => db.showMigrations())).to.equal(false)
          expect(await migrated(world)).to.deep.equal(['brazil', 'canada'])
        },
        'americas',
      ),
  ),
]
