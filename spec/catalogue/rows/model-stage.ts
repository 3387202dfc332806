import { expect } from 'chai'
import type { Repository } from 'typeorm'
import type { ConnectionProxy } from '../../../lib/index.js'
import { User } from '../entities/model.js'
import type { ServerName } from '../row.js'
import type { World } from '../world.js'

/** The statements of one call on users. */
export const select = ['select model_user'] as const
export const insert = ['insert model_user'] as const
export const saveNew = ['begin', ...insert, 'commit'] as const
export const saveChange = [...select, 'begin', 'update model_user', 'commit'] as const

/** What users have if nothing else is said. */
export const usual = { number: 10, isAdmin: false } as const

/** A new user. */
export const user = (name: string, fields: Partial<User> = {}): User =>
  Object.assign(new User(), { name, ...usual, ...fields })

/**
 * Puts users of these names on a shard, with the ids 1, 2 and so on: on each shard the same. Past
 * TypeORM, which generates ids on PostgreSQL, whatever it is given.
 */
export const usersOn = async (
  world: World,
  shard: ServerName,
  ...names: readonly string[]
): Promise<void> => {
  const rows = names.map((name, index) => `(${index + 1}, '${name}', 10, false)`).join(', ')
  await world.sql(shard, `INSERT INTO model_user (id, name, number, admin) VALUES ${rows}`)
}

/** The names of the users that a server has, in the order of their ids. */
export const namesOn = async (world: World, server: ServerName): Promise<readonly unknown[]> => {
  const rows = await world.sql(server, 'SELECT name FROM model_user ORDER BY id')
  return rows.map(({ name }) => name)
}

/** Checks which users each server has; those that are not named have none. */
export const expectUsers = async (
  world: World,
  expected: Readonly<Partial<Record<ServerName, readonly string[]>>>,
): Promise<void> => {
  for (const server of ['master', 'brazil', 'canada', 'russia'] as const)
    expect(await namesOn(world, server), server).to.deep.equal(expected[server] ?? [])
}

/** The repository of users on the handle of a shard. */
export const usersOf = (db: ConnectionProxy, shard: string): Repository<User> =>
  db.shard(shard).getRepository(User)
