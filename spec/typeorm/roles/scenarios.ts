import { type Actors, Account, freshId } from './stage.js'

/** What is done, and what primary and replicas are sent for it. */
export type Scenario = readonly [
  title: string,
  work: (actors: Actors) => unknown,
  primary: string,
  replica: string,
]

/** A row that no spec has yet. */
export const newAccount = () => ({ id: freshId(), name: 'Bia' })

/** Where statements go without any options. */
export const scenarios: readonly Scenario[] = [
  ['find reads a replica', ({ accounts }) => accounts.find(), '', 'SELECT'],
  ['findOneBy reads a replica', ({ accounts }) => accounts.findOneBy({ id: 1 }), '', 'SELECT'],
  ['count reads a replica', ({ accounts }) => accounts.count(), '', 'SELECT'],
  ['exists reads a replica', ({ accounts }) => accounts.existsBy({ id: 1 }), '', 'SELECT'],
  [
    'a select builder reads a replica',
    ({ accounts }) => accounts.createQueryBuilder('a').getRawMany(),
    '',
    'SELECT',
  ],
  [
    'a shard named by a handle reads its replica',
    ({ db }) => db.shard('master').getRepository(Account).find(),
    '',
    'SELECT',
  ],
  [
    'a shard named by a scope reads its replica',
    ({ db, accounts }) => db.using('master', () => accounts.find()),
    '',
    'SELECT',
  ],

  ['insert', ({ accounts }) => accounts.insert(newAccount()), 'INSERT', ''],
  ['update', ({ accounts }) => accounts.update(99, { name: 'x' }), 'UPDATE', ''],
  ['delete', ({ accounts }) => accounts.delete(99), 'DELETE', ''],
  ['softDelete', ({ drafts }) => drafts.softDelete(99), 'UPDATE', ''],
  ['restore', ({ drafts }) => drafts.restore(99), 'UPDATE', ''],
  ['increment', ({ drafts }) => drafts.increment({ id: 99 }, 'version', 1), 'UPDATE', ''],
  [
    'an insert builder',
    ({ accounts }) => accounts.createQueryBuilder().insert().values(newAccount()).execute(),
    'INSERT',
    '',
  ],
  [
    'a save of a new entity',
    ({ accounts }) => accounts.save(newAccount()),
    'SELECT BEGIN INSERT COMMIT',
    '',
  ],
  ['a save without changes', ({ accounts }) => accounts.save({ id: 1, name: 'Ana' }), 'SELECT', ''],
  [
    'a remove',
    async ({ accounts }) => accounts.remove(await accounts.findOneByOrFail({ id: 2 })),
    'SELECT BEGIN DELETE COMMIT',
    'SELECT',
  ],
  ['preload', ({ accounts }) => accounts.preload({ id: 1, name: 'x' }), 'SELECT', ''],
  [
    'an optimistic lock',
    ({ drafts }) => drafts.findOne({ where: { id: 1 }, lock: { mode: 'optimistic', version: 1 } }),
    'SELECT',
    '',
  ],
  [
    'find with transaction: true',
    ({ accounts }) => accounts.find({ transaction: true }),
    'BEGIN SELECT COMMIT',
    '',
  ],

  [
    'raw SQL goes to the primary though it only reads',
    ({ db }) => db.query('SELECT 1'),
    'SELECT',
    '',
  ],
  [
    "a user's runner works on the primary",
    async ({ db }) => {
      const runner = db.createQueryRunner()
      await runner.query('SELECT 1')
      await runner.release()
    },
    'SELECT',
    '',
  ],
  [
    "a user's runner in replica mode reads a replica",
    async ({ db }) => {
      const runner = db.createQueryRunner('slave')
      await runner.query('SELECT 1')
      await runner.release()
    },
    '',
    'SELECT',
  ],

  ['usingPrimary', ({ db, accounts }) => db.usingPrimary(() => accounts.find()), 'SELECT', ''],
  ['usingReplica', ({ db, accounts }) => db.usingReplica(() => accounts.find()), '', 'SELECT'],
  [
    'raw SQL inside usingReplica',
    ({ db }) => db.usingReplica(() => db.query('SELECT 1')),
    '',
    'SELECT',
  ],
  [
    'a write inside usingPrimary inside usingReplica',
    ({ db, accounts }) =>
      db.usingReplica(() => db.usingPrimary(() => accounts.insert(newAccount()))),
    'INSERT',
    '',
  ],
  [
    'a save without changes inside usingReplica',
    ({ db, accounts }) => db.usingReplica(() => accounts.save({ id: 1, name: 'Ana' })),
    '',
    'SELECT',
  ],

  [
    'a transaction stays on its connection',
    ({ db }) =>
      db.transaction(async (manager) => {
        await manager.insert(Account, newAccount())
        await manager.find(Account)
      }),
    'BEGIN INSERT SELECT COMMIT',
    '',
  ],
  [
    'un-managed reads in a transaction callback go to the primary too',
    ({ db, accounts }) =>
      db.transaction(async () => {
        await accounts.find()
      }),
    'BEGIN SELECT COMMIT',
    '',
  ],
  [
    'a read after a transaction',
    async ({ db, accounts }) => {
      await db.transaction(() => Promise.resolve())
      await accounts.find()
    },
    'BEGIN COMMIT',
    'SELECT',
  ],

  [
    'a read after a write, outside every scope',
    async ({ accounts }) => {
      await accounts.insert(newAccount())
      await accounts.find()
    },
    'INSERT',
    'SELECT',
  ],
  [
    'a read after a write in its scope',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await accounts.insert(newAccount())
        await accounts.find()
      }),
    'INSERT SELECT',
    '',
  ],
  [
    'a read after a write in a scope of the shard',
    ({ db, accounts }) =>
      db.using('master', async () => {
        await accounts.insert(newAccount())
        await accounts.find()
      }),
    'INSERT SELECT',
    '',
  ],
  [
    'a read after a save in its scope',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await accounts.save(newAccount())
        await accounts.find()
      }),
    'SELECT BEGIN INSERT COMMIT SELECT',
    '',
  ],
  [
    'a read after a write in a sibling scope',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await db.using('master', () => accounts.insert(newAccount()))
        await db.using('master', () => accounts.find())
        await db.shard('master').getRepository(Account).find()
      }),
    'INSERT SELECT SELECT',
    '',
  ],
  [
    'a read after a write in a scope that has ended',
    async ({ db, accounts }) => {
      await db.using('master', () => accounts.insert(newAccount()))
      await db.using('master', () => accounts.find())
    },
    'INSERT',
    'SELECT',
  ],
  [
    'a read after a committed transaction in its scope',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await db.transaction((manager) => manager.insert(Account, newAccount()))
        await accounts.find()
      }),
    'BEGIN INSERT COMMIT SELECT',
    '',
  ],
  [
    'a read after a transaction that was rolled back',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await db
          .transaction(async (manager) => {
            await manager.insert(Account, newAccount())
            throw new Error('planned')
          })
          .catch(() => undefined)
        await accounts.find()
      }),
    'BEGIN INSERT ROLLBACK',
    'SELECT',
  ],
  [
    'a read after a transaction that only read',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await db.transaction((manager) => manager.find(Account))
        await accounts.find()
      }),
    'BEGIN SELECT COMMIT',
    'SELECT',
  ],
  [
    'a read after raw SQL that wrote',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await db.query('DELETE FROM account WHERE id = 99')
        await accounts.find()
      }),
    'DELETE SELECT',
    '',
  ],
  [
    'a read after raw SQL that is proved to read',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await db.query('SELECT 1')
        await accounts.find()
      }),
    'SELECT',
    'SELECT',
  ],
  [
    'usingReplica after a write in the same scope',
    ({ db, accounts }) =>
      db.octopus.scope(async () => {
        await accounts.insert(newAccount())
        await db.usingReplica(() => accounts.find())
      }),
    'INSERT',
    'SELECT',
  ],
]
