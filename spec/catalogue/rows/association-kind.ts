import { expect } from 'chai'
import type { FindManyOptions, FindOptionsWhere } from 'typeorm'
import type { ConnectionProxy } from '../../../lib/index.js'
import type { Named } from '../entities/associations.js'
import type { World } from '../world.js'

type Kind = 'many-to-many' | 'through' | 'one-to-many' | 'polymorphic'
type Words = readonly string[]

/**
 * A kind of association: entities of which one owns a collection of the other, and how TypeORM is told
 * what Octopus's users tell a collection.
 */
export interface Association<Owner extends Named = Named, Child extends Named = Named> {
  readonly kind: Kind
  readonly Owner: new () => Owner
  readonly Child: new () => Child
  /** The statements of each operation. */
  readonly words: {
    readonly load: Words
    /** One query over the members of a collection. */
    readonly query: Words
    readonly findAndCount: Words
    /** The first or last of several members, and where there is none. */
    readonly one: Words
    readonly none: Words
    readonly ids: Words
    readonly owners: Words
    readonly noOwners: Words
    readonly replaceOwner: Words
    readonly setIds: Words
    readonly saveIds: Words
    readonly add: Words
    readonly build: Words
    readonly create: Words
    /** Of a member that the database refuses. */
    readonly refusedCreate: Words
    readonly unlinkAll: Words
    readonly removeOne: Words
    /** Removes one entity, which is a member. */
    readonly destroyOne: Words
    readonly clear: Words
  }
  /** What is true of the members of an owner's collection. */
  criteria(owner: Owner): FindOptionsWhere<Child>
  /** Does work where the owner is at home, if its criteria do not say so themselves. */
  at<T>(db: ConnectionProxy, owner: Named, work: () => T): T
  /** The collection, through the relation if there is one. */
  load(db: ConnectionProxy, owner: Owner): Promise<Named[]>
  ids(db: ConnectionProxy, owner: Owner): Promise<readonly number[]>
  /** The other way: whose collections a member is in. */
  owners(db: ConnectionProxy, child: Child): Promise<Named[]>
  /** Saves a member as one of another owner's collection, and of no other. */
  replaceOwner(db: ConnectionProxy, child: Child, owner: Owner): Promise<unknown>
  /** Makes the members with these ids the collection of an owner that has none, in one update. */
  setIds(db: ConnectionProxy, owner: Owner, ids: readonly number[]): Promise<unknown>
  /** The same by saving. */
  saveIds(db: ConnectionProxy, owner: Owner, ids: readonly number[]): Promise<unknown>
  add(db: ConnectionProxy, owner: Owner, child: Child): Promise<unknown>
  /** Puts a new member into the collection and saves what it was built on. */
  build(db: ConnectionProxy, owner: Owner, child: Child): Promise<unknown>
  create(db: ConnectionProxy, owner: Owner, child: Child): Promise<unknown>
  /** Takes all members out of the collection, in one update. */
  unlinkAll(db: ConnectionProxy, owner: Owner): Promise<unknown>
  removeOne(db: ConnectionProxy, owner: Owner, child: Child): Promise<unknown>
  /** The same by saving an empty collection. */
  clear(db: ConnectionProxy, owner: Owner): Promise<unknown>
}

export const named = <E extends Named>(entity: new () => E, fields: Partial<E>): E =>
  Object.assign(new entity(), fields)

/** The statements of a save: what it writes is in a transaction. */
export const inTransaction = (...words: readonly string[]): readonly string[] => [
  'begin',
  ...words,
  'commit',
]

const namesOf = (entities: readonly Named[]): readonly string[] =>
  entities.map(({ name }) => name).toSorted()

/** The shard that an entity came from. */
export const homeOf = (db: ConnectionProxy, entity: object): string => {
  const home = db.octopus.shardOf(entity)
  if (home === undefined) throw new Error('The entity has no home.')
  return home
}

/** Checks that these are the entities, and all of them of brazil. */
export const expectOnBrazil = (
  { db }: World,
  found: readonly Named[],
  expected: readonly Named[],
): void => {
  expect(namesOf(found)).to.deep.equal(namesOf(expected))
  for (const entity of found)
    expect(
      expected.some((each) => db.octopus.isSameRecord(each, entity)),
      entity.name,
    ).to.equal(true)
  for (const entity of found) expect(db.octopus.shardOf(entity)).to.equal('brazil')
}

/** Members of an owner's collection by a query of their own. */
export const find = (
  { db }: World,
  association: Association,
  owner: Named,
  {
    where,
    ...options
  }: Omit<FindManyOptions<Named>, 'where'> & { readonly where?: FindOptionsWhere<Named> } = {},
): Promise<Named[]> =>
  association.at(db, owner, () =>
    db.manager.find(association.Child, {
      ...options,
      where: { ...where, ...association.criteria(owner) },
    }),
  )

/** Removes every member of a collection from its table. */
export const destroyAll = async (
  { db }: World,
  association: Association,
  owner: Named,
): Promise<void> => {
  await db.manager.remove(await association.load(db, owner))
}
