import { expect } from 'chai'
import type { MigrationInterface, QueryRunner } from 'typeorm'
import { type ConnectionProxy, MigrationRunError } from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { Cat, Dog, Kitten } from '../entities/replication.js'
import { type Row, row } from '../row.js'
import {
  AddVisits1700000000000,
  again,
  first,
  firstLook,
  look,
  marked,
  migrated,
  undo,
  withMigrations,
} from './migrating.js'

/** Fails where there are dogs. */
class RefuseDogs1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const dogs: unknown[] = await runner.query('SELECT id FROM repl_dog')
    if (dogs.length > 0) throw new Error('Dogs are not allowed.')
  }
  down = (): Promise<void> => Promise.resolve()
}

const dogsWanted = async (db: ConnectionProxy): Promise<void> => {
  if (await db.showMigrations()) throw new Error('Run the migrations first.')
  await db.manager.insert(Dog, { name: db.octopus.currentShard() })
}

const dogs = 'select repl_dog'

/** Octopus's rake task and its cucumber features. */
export const migrationRuns: readonly Row[] = [
  row(
    'MG14',
    'versions are noted without running, on every primary that lacks them',
    {
      master: look,
      brazil: marked,
      canada: [...marked, ...look],
      russia: [...marked, 'select migrations'],
    },
    (world) =>
      withMigrations(
        world,
        {},
        async (db) => {
          await world.aside(() => db.using('master', () => db.runMigrations()))
          const { shards } = await db.octopus.migrations.baseline()
          expect(shards.map(({ shard, outcome }) => [shard, outcome])).to.deep.equal([
            ['master', 'up to date'],
            ['brazil', 'done'],
            ['canada', 'done'],
            ['russia', 'done'],
          ])
          expect(await db.using('canada', () => db.showMigrations())).to.equal(false)
          await db.using('russia', () => db.query('SELECT name FROM migrations'))
          expect(await migrated(world)).to.deep.equal(['master'])
        },
        'all',
      ),
  ),
  row(
    'MG15',
    'a run over several shards tells what ran on which',
    { brazil: first, canada: look },
    (world) =>
      withMigrations(
        world,
        {},
        async (db) => {
          await world.aside(() => db.using('canada', () => db.runMigrations()))
          const { shards } = await db.octopus.migrations.run()
          const told = shards.map(({ shard, outcome, finished }) => [
            shard,
            outcome,
            ...finished.map(({ migration }) => migration),
          ])
          expect(told).to.deep.equal([
            ['brazil', 'done', 'AddVisits1700000000000'],
            ['canada', 'up to date'],
          ])
        },
        'americas',
      ),
  ),
  row(
    'MG16',
    'a redo reverts and runs on each shard',
    {
      brazil: [...undo, ...again],
      canada: [...undo, ...again, ...look],
    },
    (world) =>
      withMigrations(
        world,
        {},
        async (db) => {
          await world.aside(() => db.runMigrations())
          await db.undoLastMigration()
          await db.runMigrations()
          expect(await db.using('canada', () => db.showMigrations())).to.equal(false)
        },
        'americas',
      ),
  ),
  row(
    'MG17',
    'a failure in the last migration leaves each shard at its own version, and is told with its shard',
    {
      brazil: [...first, 'begin', dogs, 'insert migrations', 'commit'],
      // Once more: what the report says is left comes from the server.
      canada: [...first, 'begin', dogs, 'rollback', ...look],
    },
    (world) => {
      const migrations = [AddVisits1700000000000, RefuseDogs1700000000001]
      const work = async (db: ConnectionProxy): Promise<void> => {
        await world.sql('canada', "INSERT INTO repl_dog (id, name) VALUES (1, 'Rex')")
        const run = () => db.octopus.migrations.run({ transaction: 'each', onError: 'continue' })
        const error = await failureOf(run)
        expect(error).to.be.instanceOf(MigrationRunError)
        const { shards } = (error as MigrationRunError).report
        expect(shards.map(({ shard, outcome, left }) => [shard, outcome, left])).to.deep.equal([
          ['brazil', 'done', []],
          ['canada', 'failed', ['RefuseDogs1700000000001']],
        ])
        expect(await world.sql('brazil', 'SELECT name FROM migrations')).to.have.length(2)
        expect(await world.sql('canada', 'SELECT name FROM migrations')).to.have.length(1)
      }
      return withMigrations(world, { migrations }, work, 'americas')
    },
  ),
  row(
    'MG18',
    'pending migrations are told before a run, and none after it, on each shard',
    { brazil: [...firstLook, ...first, ...look], canada: firstLook },
    (world) =>
      withMigrations(world, {}, async (db) => {
        const pending = () => db.usingGroup('americas', () => db.showMigrations())
        expect((await pending()).map(({ value }) => value)).to.deep.equal([true, true])
        await db.using('brazil', () => db.runMigrations())
        expect(await db.using('brazil', () => db.showMigrations())).to.equal(false)
      }),
  ),
  row(
    'MG19',
    'work that asks for pending migrations first writes to no shard that has some',
    { brazil: [...look, 'insert repl_dog'], canada: firstLook },
    (world) =>
      withMigrations(world, {}, async (db) => {
        await world.aside(() => db.using('brazil', () => db.runMigrations()))
        const outcomes = await db.usingGroup('americas', () => dogsWanted(db), {
          onError: 'collect',
        })
        expect(outcomes.map(({ shard, status }) => [shard, status])).to.deep.equal([
          ['brazil', 'fulfilled'],
          ['canada', 'rejected'],
        ])
      }),
  ),
  row(
    'MG20',
    'seeds are written to the shards of their scopes',
    {
      master: ['insert repl_dog'],
      brazil: ['insert repl_dog', 'insert repl_cat'],
      canada: ['insert repl_dog', 'insert repl_dog'],
      russia: ['insert repl_dog', 'insert repl_kitten'],
    },
    async ({ db }) => {
      await db.usingAll((shard) => db.manager.insert(Dog, { name: shard }))
      await db.using('brazil', () => db.manager.insert(Cat, { name: 'Tom' }))
      await db.using('canada', () => db.manager.insert(Dog, { name: 'Rex' }))
      await db.using('russia', () => db.manager.insert(Kitten, { name: 'Kit' }))
    },
  ),
]
