import type { FindOptionsWhere } from 'typeorm'
import type { ConnectionProxy } from '../../../lib/index.js'
import {
  Client,
  Coach,
  Computer,
  Invoice,
  Item,
  Keyboard,
  Label,
  Line,
  type Named,
  Order,
  Permission,
  Player,
  Product,
  Role,
  Sponsor,
  Team,
} from '../entities/associations.js'
import type { World } from '../world.js'
import { again, copied, entityOn } from './association-stage.js'

type Shape = 'one-to-one' | 'one-to-many' | 'many-to-one' | 'many-to-many'
type Entity = new () => Named
type Related = Named | readonly Named[] | null | undefined

/** A relation by the way in which it is loaded and changed. */
export interface Way {
  readonly shape: Shape
  readonly way: 'lazy' | 'relations' | 'eager' | 'builder'
  readonly Owner: Entity
  readonly Other: Entity
  readonly property: string
  /** The statements of `read`. */
  readonly words: readonly string[]
  /** What the owner is related to. */
  read(db: ConnectionProxy, owner: Named): Promise<readonly Named[]>
  /** The owner as it is before its relation is changed. */
  loaded(db: ConnectionProxy, owner: Named): Promise<Named>
  /** Relates a loaded owner to one more entity. */
  relate(db: ConnectionProxy, owner: Named, other: Named): Promise<unknown>
}

type Subject = Pick<Way, 'shape' | 'Owner' | 'Other' | 'property' | 'words'>

const isList = ({ shape }: Subject): boolean => shape === 'one-to-many' || shape === 'many-to-many'

const listOf = (value: Related): readonly Named[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value as Named]

const valueOf = <T>(owner: Named, { property }: Subject): T =>
  (owner as unknown as Readonly<Record<string, T>>)[property] as T

const changed = (owner: Named, subject: Subject, value: unknown): Named =>
  Object.assign(owner, { [subject.property]: value })

/** Read from the property, which loads what it needs. */
const lazily = (subject: Subject): Way => ({
  ...subject,
  way: 'lazy',
  read: async (_db, owner) => listOf(await valueOf<Promise<Related>>(owner, subject)),
  loaded: (_db, owner) => Promise.resolve(owner),
  relate: (db, owner, other) =>
    db.manager.save(changed(owner, subject, Promise.resolve(isList(subject) ? [other] : other))),
})

/** Read with the owner, which names itself as what is to be found. */
const joined =
  (way: 'relations' | 'eager') =>
  (subject: Subject): Way => {
    const { Owner, property } = subject
    const loaded = (db: ConnectionProxy, owner: Named): Promise<Named> =>
      db.manager.findOneOrFail(Owner, {
        where: owner as FindOptionsWhere<Named>,
        ...(way === 'relations' && { relations: { [property]: true } }),
      })
    return {
      ...subject,
      way,
      read: async (db, owner) => listOf(valueOf<Related>(await loaded(db, owner), subject)),
      loaded,
      relate: (db, owner, other) => {
        const value = isList(subject) ? [...listOf(valueOf<Related>(owner, subject)), other] : other
        return db.manager.save(changed(owner, subject, value))
      },
    }
  }

const relate = (
  db: Pick<ConnectionProxy, 'createQueryBuilder'>,
  subject: Subject,
  owner: Named,
  other: Named,
): Promise<void> => {
  const relation = db.createQueryBuilder().relation(subject.Owner, subject.property).of(owner)
  return isList(subject) ? relation.add(other) : relation.set(other)
}

/** Read and changed by a relation builder. */
const built = (subject: Subject): Way => ({
  ...subject,
  way: 'builder',
  async read(db, owner) {
    const { Owner, property } = subject
    const relation = db.createQueryBuilder().relation(Owner, property).of(owner)
    return isList(subject) ? relation.loadMany<Named>() : listOf(await relation.loadOne<Named>())
  },
  loaded: (_db, owner) => Promise.resolve(owner),
  relate: (db, owner, other) => relate(db, subject, owner, other),
})

const subject = (
  shape: Shape,
  Owner: Entity,
  property: string,
  Other: Entity,
  ...words: readonly string[]
): Subject => ({ shape, Owner, property, Other, words })

/** A join with a limit is two queries: the ids, then the entities. */
const twice = (words: string): readonly [string, string] => [words, words]

export const ways: readonly Way[] = [
  ...[
    subject('one-to-one', Team, 'coach', Coach, 'select assoc_coach'),
    subject('one-to-many', Team, 'players', Player, 'select assoc_player'),
    subject('many-to-one', Player, 'team', Team, 'select assoc_team'),
    subject('many-to-many', Team, 'sponsors', Sponsor, 'select assoc_sponsor'),
  ].map(lazily),
  ...[
    subject('one-to-one', Computer, 'keyboard', Keyboard, ...twice('select assoc_computer')),
    subject('one-to-many', Client, 'items', Item, ...twice('select assoc_client')),
    subject('many-to-one', Item, 'client', Client, ...twice('select assoc_item')),
    subject('many-to-many', Role, 'permissions', Permission, ...twice('select assoc_role')),
  ].map(joined('relations')),
  ...[
    subject('one-to-one', Order, 'invoice', Invoice, ...twice('select assoc_order')),
    subject('one-to-many', Order, 'lines', Line, ...twice('select assoc_order')),
    subject('many-to-one', Line, 'product', Product, ...twice('select assoc_line')),
    subject('many-to-many', Order, 'labels', Label, ...twice('select assoc_order')),
  ].map(joined('eager')),
  ...[
    subject('one-to-one', Computer, 'keyboard', Keyboard, 'select assoc_keyboard'),
    subject('one-to-many', Client, 'items', Item, 'select assoc_item'),
    subject('many-to-one', Item, 'client', Client, 'select assoc_client'),
    subject('many-to-many', Role, 'permissions', Permission, 'select assoc_permission'),
  ].map(built),
]

/** What is on brazil: an owner, and the one entity that it is related to. */
export interface RelatedPair {
  readonly owner: Named
  readonly other: Named
}

/** Makes the pair on brazil, and others of the same ids on master and canada. */
export const relatedPair = (world: World, way: Way): Promise<RelatedPair> =>
  world.aside(async () => {
    const { db } = world
    const made = async (entity: Entity): Promise<Named> =>
      again(world, await entityOn(world, 'brazil', entity))
    const owner = await made(way.Owner)
    const other = await made(way.Other)
    await relate(db, way, owner, other)
    for (const shard of ['master', 'canada'] as const)
      await relate(db, way, await copied(world, shard, owner), await copied(world, shard, other))
    return { owner, other }
  })
