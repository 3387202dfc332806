import type { EntityManager, SelectQueryBuilder } from 'typeorm'
import type { Call, CallOnEntity, ManagedCall, ShardName, Slot } from './program.js'
import * as reference from './reference.js'
import type { Expectation, Place } from './reference.js'
import { Person, Pet, type Sent, type Stage } from './stage.js'

/** An entity that a program keeps, and what the reference model knows of it. */
interface Kept {
  readonly entity: Person
  readonly home: ShardName
  /** Its lazy relation was read, and is remembered. */
  isLoaded: boolean
}

/** A query builder that a program keeps, with the place that it belongs to. */
interface KeptQuery {
  readonly query: SelectQueryBuilder<Person>
  readonly tag: string
  readonly place: Place | undefined
}

/** What a program throws on its own account. */
export class Thrown extends Error {}

/** What a call did was not what the reference model says. */
export class Mismatch extends Error {}

/** What one of several calls at the same time must do. */
export interface Awaited {
  readonly what: string
  readonly tag: string
  readonly expected: Expectation
}

/** Does single calls, and asks the reference model at each what it must do. */
export class Calls {
  readonly #stage: Stage
  readonly #entities = new Map<Slot, Kept>()
  readonly #queries = new Map<Slot, KeptQuery>()
  #tags = 0
  /** What the calls of branches that run at the same time must do; undefined outside them. */
  awaited: Awaited[] | undefined
  /** Where the logs stood when a program last threw. */
  lastThrown: ReturnType<Stage['mark']> | undefined

  #throw(): never {
    this.lastThrown = this.#stage.mark()
    throw new Thrown()
  }

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** @returns whether something was written */
  async managed(
    call: ManagedCall,
    manager: EntityManager,
    shard: ShardName,
    place: Place,
  ): Promise<boolean> {
    if (call.do === 'txFind') {
      await this.#does('txFind', reference.managed(place, shard, 'read'), () =>
        manager.find(Person),
      )
      return false
    }
    if (call.do === 'txInsert')
      return this.#does('txInsert', reference.managed(place, shard, 'insert'), () =>
        manager.insert(Person, { name: this.#tag() }),
      )
    const kept = this.#entities.get(call.slot)
    if (kept === undefined || kept.isLoaded) return false
    const expected =
      reference.broughtTo(shard, kept.home) ??
      reference.managed(place, shard, 'save in a transaction')
    return this.#does('txSave', expected, () => manager.save(this.#changed(kept)))
  }

  #tag(): string {
    this.#tags += 1
    return `call${this.#tags}`
  }

  #changed({ entity }: Kept): Person {
    return Object.assign(entity, { name: this.#tag() })
  }

  /** Does a call that the reference model has an expectation of. @returns whether it succeeded */
  async #does(
    what: string,
    expected: Expectation,
    work: () => Promise<unknown>,
    tag = '',
  ): Promise<boolean> {
    this.awaited?.push({ what, tag, expected })
    const mark = this.#stage.mark()
    let error: unknown
    try {
      await work()
    } catch (reason) {
      error = reason
    }
    const name = error instanceof Error ? error.name : undefined
    if (name !== expected.error)
      throw new Mismatch(`${what} ended with ${String(error)}, expected ${String(expected.error)}`)
    if (this.awaited === undefined) check(what, expected, await this.#stage.since(mark))
    return error === undefined
  }

  async call(call: Call, place: Place): Promise<void> {
    if (call.do === 'throw') return this.#throw()
    const { db } = this.#stage
    const here = reference.shardHere(place)
    const tag = this.#tag()
    const does = (expected: Expectation, work: () => Promise<unknown>) =>
      this.#does(call.do, expected, work, tag)
    switch (call.do) {
      case 'find':
        return void (await does(reference.read(place, here), () =>
          db.manager.find(Person, { comment: tag }),
        ))
      case 'findOn':
        return void (await does(reference.read(place, call.shard), () =>
          db.shard(call.shard).manager.find(Person, { comment: tag }),
        ))
      case 'raw':
        return void (await does(reference.raw(place, here), () =>
          db.query(`/* ${tag} */ SELECT * FROM person`),
        ))
      case 'insert':
        return void (await does(reference.write(place, here, 'insert'), () =>
          db.manager.insert(Person, { name: tag }),
        ))
      case 'insertOn':
        return void (await does(reference.write(place, call.shard, 'insert'), () =>
          db.shard(call.shard).manager.insert(Person, { name: tag }),
        ))
      case 'create': {
        const entity = Object.assign(new Person(), { name: tag })
        const isSaved = await does(reference.persist(place, here, 'save'), () =>
          db.manager.save(entity),
        )
        if (isSaved) this.#entities.set(call.slot, { entity, home: here, isLoaded: false })
        return
      }
      case 'load': {
        let found: Person | null = null
        await does(reference.read(place, here), async () => {
          found = await db.manager.findOne(Person, { where: {}, order: { id: 1 } })
        })
        if (found !== null)
          this.#entities.set(call.slot, { entity: found, home: here, isLoaded: false })
        return
      }
      case 'build': {
        const query = db.createQueryBuilder(Person, 'p').comment(tag)
        const bound = place.shard === undefined ? undefined : place
        this.#queries.set(call.slot, { query, tag, place: bound })
        return
      }
      case 'run':
        return this.#runQuery(call.slot, place)
      case 'save':
      case 'saveOn':
      case 'remove':
      case 'update':
      case 'lazy':
      case 'relation':
      case 'findBy':
        return this.#callOnEntity(call, place, does)
    }
  }

  async #runQuery(slot: Slot, place: Place): Promise<void> {
    const kept = this.#queries.get(slot)
    // Two runs at once of one builder are one in the logs.
    if (kept === undefined || this.awaited?.some(({ tag }) => tag === kept.tag) === true) return
    const at = kept.place ?? place
    const expected = reference.read(at, reference.shardHere(at))
    await this.#does('run', expected, () => kept.query.getMany(), kept.tag)
  }

  async #callOnEntity(
    call: CallOnEntity,
    place: Place,
    does: (expected: Expectation, work: () => Promise<unknown>) => Promise<boolean>,
  ): Promise<void> {
    const kept = this.#entities.get(call.slot)
    if (kept === undefined) return
    const { db } = this.#stage
    const { entity, home, isLoaded } = kept
    // A relation that is loaded makes a save look at its rows too; one without an id has no rows.
    const isSound = !isLoaded && (entity.id as number | undefined) !== undefined
    switch (call.do) {
      case 'save':
        if (isLoaded) return
        return void (await does(reference.persist(place, home, 'save'), () =>
          db.manager.save(this.#changed(kept)),
        ))
      case 'saveOn':
        if (isLoaded) return
        return void (await does(
          reference.broughtTo(call.shard, home) ?? reference.persist(place, home, 'save'),
          () => db.shard(call.shard).manager.save(this.#changed(kept)),
        ))
      case 'remove':
        if (!isSound) return
        return void (await does(reference.persist(place, home, 'remove'), () =>
          db.manager.remove(entity),
        ))
      case 'update':
        if (!isSound) return
        return void (await does(reference.write(place, home, 'update'), () =>
          db
            .createQueryBuilder()
            .update(Person)
            .set({ name: this.#tag() })
            .whereEntity(entity)
            .execute(),
        ))
      case 'lazy':
        if (!isSound) return
        kept.isLoaded = true
        return void (await does(reference.read(place, home), () => entity.pets))
      case 'relation':
        if (!isSound || this.awaited !== undefined) return
        return void (await does(reference.read(place, home), () =>
          db.createQueryBuilder().relation(Person, 'pets').of(entity).loadMany(),
        ))
      case 'findBy':
        if (!isSound || this.awaited !== undefined) return
        return void (await does(reference.read(place, home), () =>
          db.manager.findBy(Pet, { owner: entity as object }),
        ))
    }
  }
}

export const told = (sent: readonly Sent[]): string =>
  sent.length === 0 ? 'nothing' : sent.map(({ server, words }) => `${server}: ${words}`).join(', ')

/** @throws Mismatch */
export const check = (
  what: string,
  { server, shape }: Expectation,
  sent: readonly Sent[],
): void => {
  const words = sent.map((each) => each.words).join(',')
  const isThere = sent.every((each) => each.server === server)
  if (isThere && reference.shapes[shape].test(words)) return
  throw new Mismatch(`${what} sent ${told(sent)}; expected ${shape} on ${server ?? 'no server'}`)
}
