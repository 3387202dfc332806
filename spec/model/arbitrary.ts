import fc from 'fast-check'
import { type Call, type Program, type Step, type TransactionStep, shards } from './program.js'

const shard = fc.constantFrom(...shards)
const slot = fc.constantFrom(0 as const, 1 as const, 2 as const)

const reading = (): fc.Arbitrary<Call>[] => [
  fc.record({ do: fc.constantFrom('find' as const, 'raw' as const) }),
  fc.record({ do: fc.constant('findOn' as const), shard }),
  fc.record({
    do: fc.constantFrom('relation' as const, 'findBy' as const, 'build' as const, 'run' as const),
    slot,
  }),
]

const writing = (): fc.Arbitrary<Call>[] => [
  fc.record({ do: fc.constant('insert' as const) }),
  fc.record({ do: fc.constant('insertOn' as const), shard }),
  fc.record({
    do: fc.constantFrom(
      'create' as const,
      'load' as const,
      'save' as const,
      'remove' as const,
      'update' as const,
      'lazy' as const,
    ),
    slot,
  }),
  fc.record({ do: fc.constant('saveOn' as const), slot, shard }),
]

const thrown = fc.record({ do: fc.constant('throw' as const) })

const scopeOf = <S>(body: fc.Arbitrary<readonly S[]>) => [
  fc.record({ do: fc.constant('using' as const), shard, body }),
  fc.record({
    do: fc.constantFrom('usingPrimary' as const, 'usingReplica' as const, 'scope' as const),
    body,
  }),
]

const { branch } = fc.letrec<{ branch: readonly Step[] }>((tie) => ({
  branch: fc.array(
    fc.oneof(
      { maxDepth: 2, depthIdentifier: 'branch' },
      ...reading(),
      thrown,
      ...scopeOf(tie('branch')),
    ),
    { maxLength: 4 },
  ),
}))

const managed = [
  fc.record({ do: fc.constantFrom('txFind' as const, 'txInsert' as const) }),
  fc.record({ do: fc.constant('txSave' as const), slot }),
]

const { transaction } = fc.letrec<{ transaction: readonly TransactionStep[] }>((tie) => ({
  transaction: fc.array(
    fc.oneof(
      { maxDepth: 2, depthIdentifier: 'transaction' },
      ...managed,
      fc.record({ do: fc.constantFrom('find' as const, 'raw' as const) }),
      thrown,
      fc.record({
        do: fc.constant('savepoint' as const),
        body: fc.array(fc.oneof(...managed), { maxLength: 3 }),
      }),
      ...scopeOf(tie('transaction')),
    ),
    { maxLength: 5 },
  ),
}))

/** Programs whose transactions do not meet on one SQLite connection: that has one transaction for all. */
export const programs: fc.Arbitrary<Program> = fc.letrec<{ body: readonly Step[] }>((tie) => ({
  body: fc.array(
    fc.oneof(
      { maxDepth: 3, depthIdentifier: 'body' },
      { weight: 4, arbitrary: fc.oneof(...reading()) },
      { weight: 5, arbitrary: fc.oneof(...writing()) },
      { weight: 1, arbitrary: thrown },
      { weight: 4, arbitrary: fc.oneof(...scopeOf(tie('body'))) },
      {
        weight: 2,
        arbitrary: fc.record(
          { do: fc.constant('transaction' as const), shard, body: transaction },
          { requiredKeys: ['do', 'body'] },
        ),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant('parallel' as const),
          branches: fc.array(branch, { minLength: 2, maxLength: 3 }),
        }),
      },
    ),
    { maxLength: 8 },
  ),
})).body
