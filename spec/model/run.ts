import type { EntityManager } from 'typeorm'
import { Calls, type Awaited, Mismatch, Thrown, check, told } from './calls.js'
import type {
  Program,
  ScopeStep,
  ShardName,
  Step,
  Transaction,
  TransactionStep,
} from './program.js'
import * as reference from './reference.js'
import type { Place } from './reference.js'
import type { Stage } from './stage.js'

/** Does a program step by step, and asks the reference model at each what it must do. */
export class Run {
  readonly #stage: Stage
  readonly #calls: Calls

  constructor(stage: Stage) {
    this.#stage = stage
    this.#calls = new Calls(stage)
  }

  /** @throws Mismatch */
  async program(program: Program): Promise<void> {
    for (const step of program) await this.#caught(() => this.#step(step, reference.outside))
  }

  async #caught(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Thrown)) throw error
    }
  }

  async #steps(steps: readonly Step[], place: Place): Promise<void> {
    for (const step of steps) await this.#step(step, place)
  }

  #step(step: Step, place: Place): Promise<void> {
    if (step.do === 'transaction') return this.#transaction(step, place)
    if (step.do === 'parallel') return this.#parallel(step.branches, place)
    if ('body' in step) return this.#scope(step, place, (inner) => this.#steps(step.body, inner))
    return this.#calls.call(step, place)
  }

  #scope(
    scope: Pick<ScopeStep, 'do'> & { readonly shard?: ShardName },
    place: Place,
    body: (place: Place) => Promise<void>,
  ): Promise<void> {
    const { db } = this.#stage
    switch (scope.do) {
      case 'using': {
        const { shard = 'master' } = scope
        return db.using(shard, () => body(reference.within(place, { shard })))
      }
      case 'usingPrimary':
        return db.usingPrimary(() => body(reference.within(place, { role: 'primary' })))
      case 'usingReplica':
        return db.usingReplica(() => body(reference.within(place, { role: 'replica' })))
      case 'scope':
        return db.octopus.scope(() => body(reference.within(place, {})))
    }
  }

  async #parallel(branches: readonly (readonly Step[])[], place: Place): Promise<void> {
    const mark = this.#stage.mark()
    const awaited: Awaited[] = (this.#calls.awaited = [])
    await Promise.all(
      branches.map((steps) => this.#caught(() => this.#steps(steps, place))),
    ).finally(() => (this.#calls.awaited = undefined))
    const sent = await this.#stage.since(mark)
    for (const { what, tag, expected } of awaited)
      check(
        what,
        expected,
        sent.filter((each) => each.tag === tag),
      )
    if (sent.length !== awaited.length) throw new Mismatch(`parallel calls sent ${told(sent)}`)
  }

  async #transaction(step: Transaction, place: Place): Promise<void> {
    // It would be one on the replica: docs/routing.md, and spec/typeorm/roles.
    if (place.role === 'replica') return
    const { db } = this.#stage
    const shard = step.shard ?? reference.shardHere(place)
    const source = step.shard === undefined ? db : db.shard(step.shard)
    let mark = this.#stage.mark()
    let hasWritten = false
    const ended = async (shape: 'commit' | 'rollback'): Promise<void> =>
      check(shape, { server: shard, shape }, await this.#stage.since(mark))
    try {
      await source.transaction(async (manager) => {
        check('transaction', { server: shard, shape: 'begin' }, await this.#stage.since(mark))
        const inner = reference.inTransaction(place, shard)
        hasWritten = await this.#transactionSteps(step.body, manager, shard, inner)
        mark = this.#stage.mark()
      })
    } catch (error) {
      if (!(error instanceof Thrown)) throw error
      mark = this.#calls.lastThrown ?? mark
      await ended('rollback')
      throw error
    }
    await ended('commit')
    if (hasWritten) place.written?.add(shard)
  }

  /** @returns whether something was written */
  async #transactionSteps(
    steps: readonly TransactionStep[],
    manager: EntityManager,
    shard: ShardName,
    place: Place,
  ): Promise<boolean> {
    let hasWritten = false
    for (const step of steps)
      switch (step.do) {
        case 'using':
        case 'usingPrimary':
        case 'usingReplica':
        case 'scope':
          await this.#scope(step, place, async (inner) => {
            if (await this.#transactionSteps(step.body, manager, shard, inner)) hasWritten = true
          })
          break
        case 'savepoint': {
          const mark = this.#stage.mark()
          let end = mark
          await manager.transaction(async (nested) => {
            check('savepoint', { server: shard, shape: 'savepoint' }, await this.#stage.since(mark))
            for (const call of step.body)
              if (await this.#calls.managed(call, nested, shard, place)) hasWritten = true
            end = this.#stage.mark()
          })
          check(
            'savepoint',
            { server: shard, shape: 'release savepoint' },
            await this.#stage.since(end),
          )
          break
        }
        case 'txFind':
        case 'txInsert':
        case 'txSave':
          if (await this.#calls.managed(step, manager, shard, place)) hasWritten = true
          break
        case 'find':
        case 'raw':
        case 'throw':
          await this.#calls.call(step, place)
      }
    return hasWritten
  }
}
