import { expect } from 'chai'
import { CrossShardError } from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import type { Named } from '../entities/associations.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'
import { type Association, expectOnBrazil } from './association-kind.js'

/** What is on brazil when a row begins. */
export interface Stage {
  readonly owner: Named
  /** The one member of the owner's collection. */
  readonly child: Named
  /** Another owner, without a collection. */
  readonly lonely: Named
  /** Is in no collection. */
  readonly free: Named
}

/** Sets the stage. Master and canada have others of the owner's and the child's ids. */
export const stage = (world: World, association: Association): Promise<Stage> =>
  world.aside(async () => {
    const { db } = world
    const { Owner, Child } = association
    const insert = async <E extends Named>(entity: new () => E, name: string): Promise<E> => {
      const made = Object.assign(new entity(), { name })
      await db.shard('brazil').manager.insert(entity, made as object)
      return made
    }
    const owner = await insert(Owner, 'owner')
    const child = await insert(Child, 'child')
    await association.add(db, owner, child)
    for (const shard of ['master', 'canada'] as const) {
      const namesake = (entity: Named): Promise<Named> => copied(world, shard, entity)
      await association.add(db, await namesake(owner), await namesake(child))
    }
    return {
      owner,
      child,
      lonely: await insert(Owner, 'lonely'),
      free: await insert(Child, 'free'),
    }
  })

/** Makes another entity of the same id on another shard. TypeORM generates ids on PostgreSQL, whatever
 *  it is given. */
export const copied = async (
  world: World,
  shard: 'master' | 'canada',
  { id, constructor }: Named,
): Promise<Named> => {
  const name = `another on ${shard}`
  const { tableName } = world.db.getMetadata(constructor)
  await world.sql(shard, `INSERT INTO ${tableName} (id, name) VALUES (${String(id)}, '${name}')`)
  const made = Object.assign(Object.create(constructor.prototype as object) as Named, { id, name })
  return world.db.octopus.bindShard(made, shard)
}

/** An entity of brazil as it is when loaded anew, without relations. */
export const again = (world: World, { constructor, id }: Named): Promise<Named> =>
  world.aside(() =>
    world.db.shard('brazil').manager.findOneOrFail<Named>(constructor, {
      where: { id },
      loadEagerRelations: false,
    }),
  )

/** A new entity on a shard. */
export const entityOn = <E extends Named>(
  world: World,
  shard: string,
  entity: new () => E,
): Promise<E> =>
  world.aside(() => {
    const made = Object.assign(new entity(), { name: `of ${shard}` })
    return world.db.shard(shard).manager.save(made)
  })

type Program = (world: World, staged: Stage, association: Association) => Promise<void>

/** Rows of one behaviour, by kind; `words` are the statements that brazil gets. */
export const each = (
  kinds: readonly Association[],
  number: string,
  title: string,
  words: (words: Association['words']) => readonly string[],
  program: Program,
): readonly Row[] =>
  kinds.map((association) =>
    row(
      `${number} ${association.kind}`,
      title,
      { brazil: words(association.words) },
      async (world) => program(world, await stage(world, association), association),
    ),
  )

/** What the collection is, by the relation. */
export const expectMembers = async (
  world: World,
  association: Association,
  owner: Named,
  expected: readonly Named[],
): Promise<void> => {
  expectOnBrazil(world, await association.load(world.db, owner), expected)
}

/** Does what must be refused before anything is sent, and checks what the refusal says. */
export const expectRefusal = async (
  { db }: World,
  first: Named,
  second: Named,
  work: () => unknown,
): Promise<void> => {
  const { value: error, events } = await db.octopus.withTrace(() => failureOf(work))
  expect(events.map(({ statement }) => statement)).to.deep.equal([])
  expect(error).to.be.instanceOf(CrossShardError)
  const { message, shards } = error as CrossShardError
  expect(shards.toSorted()).to.deep.equal(['brazil', 'canada'])
  expect(message).to.include(first.constructor.name).and.to.include(second.constructor.name)
  expect(message).to.include('"brazil"').and.to.include('"canada"')
  expect(message).to.include('shardOf(entity)')
}
