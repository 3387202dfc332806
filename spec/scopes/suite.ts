import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import {
  InvalidScopeError,
  NoReplicaError,
  UnknownGroupError,
  UnknownReplicaGroupError,
  UnknownShardError,
} from '../../lib/errors.js'
import { TopologyStore } from '../../lib/topology/store.js'
import { topologyWith } from '../support/topology.js'
import { scopesOver, standing } from './support.js'

/** What holds of scopes whatever carries them. */
export const describeScopes = (carrier: string): void => {
  describe(`scopes carried by ${carrier}`, () => {
    const scopes = scopesOver()
    const where = (): string => standing(scopes)

    it('return what their work returns, synchronous or not', async () => {
      expect(scopes.using('brazil', () => 7)).to.equal(7)
      const promise = scopes.using('brazil', async () => where())
      expect(promise).to.be.instanceOf(Promise)
      expect(await promise).to.equal('brazil')
    })

    it('throw what their work throws, in its own way', async () => {
      const failure = new Error('work failed')
      const fail = (): never => {
        throw failure
      }
      expect(() => scopes.using('brazil', fail)).to.throw(failure)
      const rejected = scopes.using('brazil', async () => fail())
      expect(await rejected.catch((error: unknown) => error)).to.equal(failure)
      expect(where()).to.equal('master')
    })

    it('hold at any depth of asynchronous work', async () => {
      const deep = async (depth: number): Promise<string> => {
        await (depth % 2 === 0 ? null : turn())
        return depth === 0 ? where() : deep(depth - 1)
      }
      const seen = await scopes.using('brazil', () =>
        Promise.all([
          deep(5),
          new Promise((resolve) => setTimeout(() => resolve(where()), 0)),
          new Promise((resolve) => process.nextTick(() => resolve(where()))),
          new Promise((resolve) => queueMicrotask(() => resolve(where()))),
        ]),
      )
      expect(seen).to.deep.equal(['brazil', 'brazil', 'brazil', 'brazil'])
    })

    it('hold for work that nobody awaits, after they have ended', async () => {
      let late: Promise<string> | undefined
      scopes.using('brazil', () => {
        late = turn().then(where)
      })
      expect(where()).to.equal('master')
      expect(await late).to.equal('brazil')
    })

    it('do not leak to whoever resolves or emits', async () => {
      const emitter = new EventEmitter()
      const heard: string[] = []
      emitter.on('event', () => heard.push(where()))
      await scopes.using('brazil', async () => emitter.emit('event'))
      const resource = scopes.using('canada', () => new AsyncResource('spec'))
      resource.runInAsyncScope(() => heard.push(where()))
      emitter.emit('event')
      expect(heard).to.deep.equal(['brazil', 'canada', 'master'])
    })

    describe('in each other', () => {
      const inReports = <T>(work: () => T): T =>
        scopes.using('brazil', () => scopes.usingReplica({ group: 'reports' }, work))

      for (const [title, work, expected] of [
        [
          'an inner shard replaces the outer',
          () => scopes.using('brazil', () => scopes.using('canada', where)),
          'canada',
        ],
        [
          'the default shard can be named',
          () => scopes.using('brazil', () => scopes.using('master', where)),
          'master',
        ],
        [
          'a role keeps the shard',
          () => scopes.using('brazil', () => scopes.usingPrimary(where)),
          'brazil primary',
        ],
        [
          'a shard keeps role and group',
          () => inReports(() => scopes.using('canada', where)),
          'canada replica reports',
        ],
        ['a group inherits the shard', () => inReports(where), 'brazil replica reports'],
        [
          'usingReplica without a group reads any replica',
          () => inReports(() => scopes.usingReplica({}, where)),
          'brazil replica',
        ],
        [
          'usingPrimary ends a group',
          () => inReports(() => scopes.usingPrimary(where)),
          'brazil primary',
        ],
        [
          'slaveGroup is an alias',
          () => scopes.usingReplica({ slaveGroup: 'reports' }, where),
          'master replica reports',
        ],
        [
          'a plain scope changes nothing',
          () => inReports(() => scopes.scope(where)),
          'brazil replica reports',
        ],
        [
          'the outer scope is back afterwards',
          () =>
            scopes.using('brazil', () => {
              scopes.using('canada', where)
              return where()
            }),
          'brazil',
        ],
      ] as const)
        it(title, () => expect(work()).to.equal(expected))

      it('refuse a shard that lacks the inherited replica group', () => {
        expect(() => inReports(() => scopes.using('denmark', where))).to.throw(
          UnknownReplicaGroupError,
          'Shard "denmark" has no replica group "reports"; its replica groups: none.',
        )
      })
    })

    describe('of two data sources', () => {
      const others = scopesOver()

      it('do not touch each other', () => {
        scopes.using('brazil', () =>
          others.usingPrimary(() =>
            scopes.usingReplica({}, () => {
              expect(where()).to.equal('brazil replica')
              expect(standing(others)).to.equal('master primary')
            }),
          ),
        )
      })

      it('share no ledger', () => {
        scopes.scope(() =>
          others.scope(() =>
            expect(others.current()?.writes).to.not.equal(scopes.current()?.writes),
          ),
        )
      })
    })

    describe('with names that do not exist', () => {
      const never = (): never => {
        throw new Error('The work of a refused scope must not run')
      }
      const known = 'configured shards: master, brazil, canada, denmark, empty.'

      for (const [title, call, type, message] of [
        [
          'a shard',
          () => scopes.using('brasil', never),
          UnknownShardError,
          `Unknown shard "brasil"; ${known}`,
        ],
        [
          'a shard group as a shard',
          () => scopes.using('americas', never),
          UnknownShardError,
          `Unknown shard "americas"; ${known} "americas" is a shard group: use usingGroup.`,
        ],
        [
          'a replica as a shard',
          () => scopes.using('d1', never),
          UnknownShardError,
          `Unknown shard "d1"; ${known} "d1" is a replica of shard "denmark": use usingReplica inside using("denmark", …).`,
        ],
        [
          'a replica group as a shard',
          () => scopes.using('reports', never),
          UnknownShardError,
          /"reports" is a replica of shard "master": use usingReplica/,
        ],
        [
          'a name of Object',
          () => scopes.using('constructor', never),
          UnknownShardError,
          /Unknown shard "constructor"/,
        ],
        ['an empty name', () => scopes.using('', never), UnknownShardError, /Unknown shard ""/],
        [
          'a replica group',
          () => scopes.using('brazil', () => scopes.usingReplica({ group: 'x' }, never)),
          UnknownReplicaGroupError,
          'Shard "brazil" has no replica group "x"; its replica groups: reports.',
        ],
        [
          'a shard group',
          () => void scopes.usingGroup('europe', never),
          UnknownGroupError,
          'Unknown shard group "europe"; configured groups: americas.',
        ],
        [
          'an array of shards',
          () => scopes.using(['brazil'] as never, never),
          InvalidScopeError,
          /not an array; for several shards use usingGroup or usingAll/,
        ],
        [
          'nothing',
          () => scopes.using(undefined as never, never),
          InvalidScopeError,
          /not undefined/,
        ],
        [
          'no work',
          () => scopes.using('brazil', undefined as never),
          InvalidScopeError,
          /using takes a function to run, not undefined/,
        ],
        [
          'a promise as work',
          () => scopes.usingPrimary(Promise.resolve() as never),
          InvalidScopeError,
          /usingPrimary takes a function to run, not object/,
        ],
      ] as const)
        it(`throws at once for ${title}`, () => {
          expect(call).to.throw(type).with.property('message').that.matches(asPattern(message))
        })
    })

    it('are not entered where a replica is demanded and there is none', () => {
      const strict = scopesOver(
        {},
        {
          store: new TopologyStore(topologyWith({ master: { onNoReplica: 'error' } })),
        },
      )
      expect(() => strict.usingReplica({}, () => 1)).to.throw(NoReplicaError)
      expect(scopes.using('empty', () => scopes.usingReplica({}, where))).to.equal('empty replica')
    })

    it('stand on the shard of the environment where none is named', () => {
      const ambient = scopesOver({ ambientShard: 'brazil' })
      expect(standing(ambient)).to.equal('brazil')
      expect(ambient.scope(() => standing(ambient))).to.equal('brazil')
      expect(ambient.using('canada', () => standing(ambient))).to.equal('canada')
    })

    it('share what they wrote with their siblings, not with strangers', async () => {
      const ledgers = await scopes.scope(async () => {
        const first = await scopes.using('brazil', async () => scopes.current()?.writes)
        first?.set('brazil', 1)
        return [first, scopes.using('canada', () => scopes.current()?.writes)]
      })
      expect(ledgers[0]).to.equal(ledgers[1])
      expect(scopes.using('brazil', () => scopes.current()?.writes.size)).to.equal(0)
      expect(scopes.current()).to.equal(undefined)
    })
  })
}

const asPattern = (message: string | RegExp): RegExp =>
  typeof message === 'string'
    ? new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`)
    : message
