import { expect } from 'chai'
import type { Repository } from 'typeorm'
import {
  IsolationLevel,
  Propagation,
  runOnTransactionCommit,
  runOnTransactionComplete,
  runOnTransactionRollback,
} from 'typeorm-transactional'
import { until } from '../../../support/until.js'
import type { Bed } from '../../scenarios/bed.js'
import type { Scenario } from '../../scenarios/scenario.js'
import {
  failure,
  type Hand,
  onServers,
  propagating,
  rule,
  transactional,
  withPlain,
} from './support.js'

/** What comes of work with one propagation: statements, and the rows that are left. */
interface Outcome {
  readonly sent: readonly string[]
  readonly left: readonly string[]
}

interface Expected {
  /** With no transaction around it. */
  readonly alone: Outcome
  /** In a transaction that commits. */
  readonly inside: Outcome
  /** In a transaction that fails after it. */
  readonly insideFailing: Outcome
}

const own: Outcome = { sent: ['begin', 'insert author', 'commit'], left: ['inner'] }
const bare: Outcome = { sent: ['insert author'], left: ['inner'] }
const nothing: Outcome = { sent: [], left: [] }

const joined: Omit<Expected, 'alone'> = {
  inside: { sent: ['begin', 'insert author', ...bare.sent, 'commit'], left: ['outer', 'inner'] },
  insideFailing: { sent: ['begin', 'insert author', ...bare.sent, 'rollback'], left: [] },
}
const separate = ({ sent }: Outcome): Omit<Expected, 'alone'> => ({
  inside: { sent: ['begin', 'insert author', ...sent, 'commit'], left: ['outer', 'inner'] },
  insideFailing: { sent: ['begin', 'insert author', ...sent, 'rollback'], left: ['inner'] },
})

const expected: Readonly<Record<Propagation, Expected>> = {
  REQUIRED: { alone: own, ...joined },
  REQUIRES_NEW: { alone: own, ...separate(own) },
  // A transaction of its own, in 0.5 of the package: not a savepoint.
  NESTED: { alone: own, ...separate(own) },
  SUPPORTS: { alone: bare, ...joined },
  NOT_SUPPORTED: { alone: bare, ...separate(bare) },
  MANDATORY: { alone: nothing, ...joined },
  NEVER: {
    alone: bare,
    inside: { sent: ['begin', 'insert author', 'commit'], left: ['outer'] },
    insideFailing: { sent: ['begin', 'insert author', 'rollback'], left: [] },
  },
}

const refused = (propagation: Propagation, isInside: boolean): boolean =>
  isInside ? propagation === Propagation.NEVER : propagation === Propagation.MANDATORY

/** Inserts with `propagation`, and checks that the package refuses where it has to. */
const insertInner = async (
  authors: Repository<Hand>,
  propagation: Propagation,
  connectionName: string,
  isInside: boolean,
): Promise<void> => {
  const insert = () => authors.insert({ name: 'inner' })
  const error = await failure(() => transactional(insert, { propagation, connectionName }))
  if (refused(propagation, isInside)) expect(error).to.have.property('name', 'TransactionalError')
  else expect(error).to.equal(undefined)
}

const situations = {
  alone: insertInner,
  inside: (authors, propagation, connectionName) =>
    transactional(
      async () => {
        await authors.insert({ name: 'outer' })
        await insertInner(authors, propagation, connectionName, true)
      },
      { connectionName },
    ),
  insideFailing: async (authors, propagation, connectionName) => {
    const error = await failure(() =>
      transactional(
        async () => {
          await authors.insert({ name: 'outer' })
          await insertInner(authors, propagation, connectionName, true)
          throw new Error('changed my mind')
        },
        { connectionName },
      ),
    )
    expect(error).to.have.property('message', 'changed my mind')
  },
} as const satisfies Record<
  keyof Expected,
  (authors: Repository<Hand>, propagation: Propagation, name: string, isInside: false) => unknown
>

/** What `work` sends to s1 and leaves there; checks that it sends nothing elsewhere. */
const outcomeOf = async (bed: Bed, work: () => unknown): Promise<Outcome> => {
  const { s1 = [], ...elsewhere } = await bed.statementsDuring(work)
  expect(elsewhere).to.deep.equal({})
  const { s1: left = [] } = await bed.added('author', 'name')
  return { sent: s1, left: left as string[] }
}

const eachPropagation = Object.values(Propagation).flatMap((propagation) =>
  (Object.keys(situations) as (keyof typeof situations)[]).map((situation) =>
    rule(
      `${propagation} ${situation} does on the shard of the scope what it does on a plain data source`,
      async (bed) => {
        const run = situations[situation]
        const wrapped = await outcomeOf(bed, () =>
          bed.db.using('s1', () => run(bed.captured.authors, propagation, 'default', false)),
        )
        expect(wrapped).to.deep.equal(expected[propagation][situation])
        await bed.reset()
        const plain = await withPlain(bed, (authors) =>
          outcomeOf(bed, () => run(authors, propagation, 'plain', false)),
        )
        expect(plain, 'on a plain data source').to.deep.equal(wrapped)
      },
      onServers,
    ),
  ),
)

const isolated = Object.values(IsolationLevel).map((isolationLevel) =>
  rule(
    `the isolation level ${isolationLevel} reaches the server of the shard`,
    async (bed) => {
      const { s1, ...elsewhere } = await bed.sqlDuring(() =>
        bed.db.using('s1', () =>
          transactional(() => bed.captured.authors.count(), { isolationLevel }),
        ),
      )
      expect(Object.values(elsewhere).flat()).to.deep.equal([])
      const set = `SET TRANSACTION ISOLATION LEVEL ${isolationLevel}`
      const begin = 'START TRANSACTION'
      expect(s1?.slice(0, 2)).to.deep.equal(
        bed.engineOf('s1') === 'mariadb' ? [set, begin] : [begin, set],
      )
    },
    onServers,
  ),
)

/** Registers a hook of each kind. They run after the transaction's promise has settled. */
const listen = (heard: string[]): void => {
  runOnTransactionCommit(() => void heard.push('commit'))
  runOnTransactionRollback((error) => void heard.push(`rollback: ${error.message}`))
  runOnTransactionComplete((error) => void heard.push(`complete: ${error?.message ?? 'done'}`))
}

const hooks = [
  rule('commit and complete hooks run once the shard has committed', async (bed) => {
    const heard: string[] = []
    let seen: Promise<unknown> | undefined
    const statements = await bed.statementsDuring(async () => {
      await bed.db.using('s1', () =>
        transactional(async () => {
          listen(heard)
          runOnTransactionCommit(() => {
            seen = bed.captured.authors.countBy({ name: 'kept' })
          })
          await bed.captured.authors.insert({ name: 'kept' })
          expect(heard).to.deep.equal([])
        }),
      )
      expect(await until(() => seen, { what: 'the commit hook' })).to.equal(1)
    })
    expect(heard).to.deep.equal(['commit', 'complete: done'])
    expect(statements).to.deep.equal({ s1: ['begin', 'insert author', 'commit', 'select author'] })
  }),

  rule('rollback and complete hooks run once the shard has rolled back', async (bed) => {
    const heard: string[] = []
    const statements = await bed.statementsDuring(async () => {
      const error = await failure(() =>
        bed.db.using('s1', () =>
          transactional(async () => {
            listen(heard)
            await bed.captured.authors.insert({ name: 'lost' })
            throw new Error('changed my mind')
          }),
        ),
      )
      expect(error).to.have.property('message', 'changed my mind')
      await until(() => heard.length > 1, { what: 'the hooks' })
    })
    expect(heard).to.deep.equal(['rollback: changed my mind', 'complete: changed my mind'])
    expect(statements).to.deep.equal({ s1: ['begin', 'insert author', 'rollback'] })
    expect(await bed.added('author', 'name')).to.deep.equal({})
  }),

  rule('a transaction that fails to commit runs the rollback hooks', async (bed) => {
    const heard: string[] = []
    const error = await failure(() =>
      bed.db.using('s1', () =>
        propagating(Propagation.REQUIRED, async () => {
          listen(heard)
          await bed.db.using('s2', () => bed.captured.authors.count())
        }),
      ),
    )
    expect(error).to.have.property('code', 'cross-shard')
    await until(() => heard.length > 1, { what: 'the hooks' })
    expect(heard.map((each) => each.split(':')[0])).to.deep.equal(['rollback', 'complete'])
  }),
]

/** Propagation, isolation levels and hooks, as the package documents them. */
export const propagation: readonly Scenario[] = [...eachPropagation, ...isolated, ...hooks]
