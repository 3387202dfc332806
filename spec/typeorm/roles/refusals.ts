import type { QueryRunner } from 'typeorm'
import { newAccount } from './scenarios.js'
import { type Actors, Account } from './stage.js'

const queryThrough = async (runner: QueryRunner, sql: string): Promise<void> => {
  try {
    await runner.query(sql)
  } finally {
    await runner.release()
  }
}

/** What a replica scope refuses before a write is sent. */
export const refusals: readonly (readonly [title: string, work: (actors: Actors) => unknown])[] = [
  ['insert', ({ accounts }) => accounts.insert(newAccount())],
  ['update', ({ accounts }) => accounts.update(1, { name: 'x' })],
  ['delete', ({ accounts }) => accounts.delete(1)],
  ['softDelete', ({ drafts }) => drafts.softDelete(1)],
  ['restore', ({ drafts }) => drafts.restore(1)],
  ['upsert', ({ accounts }) => accounts.upsert({ id: 1, name: 'x' }, ['id'])],
  ['increment', ({ drafts }) => drafts.increment({ id: 1 }, 'version', 1)],
  ['clear', ({ accounts }) => accounts.clear()],
  [
    'an insert builder',
    ({ accounts }) => accounts.createQueryBuilder().insert().values(newAccount()).execute(),
  ],
  [
    'an update builder',
    ({ accounts }) => accounts.createQueryBuilder().update().set({ name: 'x' }).execute(),
  ],
  ['a delete builder', ({ accounts }) => accounts.createQueryBuilder().delete().execute()],
  ['a save of a new entity', ({ accounts }) => accounts.save(newAccount())],
  ['a save with changes', ({ accounts }) => accounts.save({ id: 1, name: 'changed' })],
  ['remove', async ({ accounts }) => accounts.remove(await accounts.findOneByOrFail({ id: 1 }))],
  ['softRemove', async ({ drafts }) => drafts.softRemove(await drafts.findOneByOrFail({ id: 1 }))],
  ['find with transaction: true', ({ accounts }) => accounts.find({ transaction: true })],
  [
    'find with a lock',
    ({ accounts }) => accounts.findOne({ where: { id: 1 }, lock: { mode: 'pessimistic_write' } }),
  ],
  ['raw SQL that writes', ({ db }) => db.query('DELETE FROM account')],
  ['raw SQL that is not proved to read', ({ db }) => db.query('SELECT cleanup()')],
  [
    "a user's runner that writes",
    ({ db }) => queryThrough(db.createQueryRunner(), 'DELETE FROM account'),
  ],
  [
    "a user's runner in replica mode that writes",
    ({ db }) =>
      queryThrough(db.createQueryRunner('slave'), 'WITH a AS (SELECT 1) DELETE FROM account'),
  ],
  [
    'a write in a transaction',
    ({ db }) => db.transaction((manager) => manager.insert(Account, newAccount())),
  ],
  [
    'a raw write in a transaction',
    ({ db }) =>
      db.transaction((manager) => manager.query('WITH a AS (SELECT 1) DELETE FROM account')),
  ],
  [
    'a save in a transaction',
    ({ db }) => db.transaction((manager) => manager.save(Account, newAccount())),
  ],
  ['synchronize', ({ db }) => db.synchronize()],
  ['runMigrations', ({ db }) => db.runMigrations()],
  ['undoLastMigration', ({ db }) => db.undoLastMigration()],
  ['dropDatabase', ({ db }) => db.shard('master').dropDatabase()],
]
