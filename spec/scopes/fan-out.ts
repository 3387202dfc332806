import { expect } from 'chai'
import { FanOutError, InvalidScopeError, UnknownReplicaGroupError } from '../../lib/errors.js'
import { errorOf, scopesOver, standing } from './support.js'

/** A promise with its own hands. */
const held = <T = void>() => {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** What holds of work over several shards. */
export const describeFanOut = (carrier: string): void => {
  describe(`usingGroup and usingAll carried by ${carrier}`, () => {
    const scopes = scopesOver()
    const all = ['master', 'brazil', 'canada', 'denmark', 'empty']

    it('visit each shard once and return in the order of declaration', async () => {
      expect(await scopes.usingAll((shard) => [shard, standing(scopes)])).to.deep.equal(
        all.map((shard) => ({ shard, value: [shard, shard] })),
      )
      expect(await scopes.usingGroup('americas', () => standing(scopes))).to.deep.equal([
        { shard: 'canada', value: 'canada' },
        { shard: 'brazil', value: 'brazil' },
      ])
    })

    it('keep that order when the first shard is the last to finish', async () => {
      const slow = held()
      const work = scopes.usingGroup('americas', async (shard) => {
        if (shard === 'canada') await slow.promise
        else slow.resolve()
        return standing(scopes)
      })
      expect((await work).map(({ value }) => value)).to.deep.equal(['canada', 'brazil'])
    })

    it('inherit role and replica group', async () => {
      const values = await scopes.usingReplica({ group: 'reports' }, () =>
        scopes.usingGroup('americas', () => standing(scopes)),
      )
      expect(values.map(({ value }) => value)).to.deep.equal([
        'canada replica reports',
        'brazil replica reports',
      ])
    })

    it('start nothing when a shard lacks the inherited replica group', async () => {
      let started = 0
      const error = await errorOf(() =>
        scopes.usingReplica({ group: 'reports' }, () => scopes.usingAll(() => (started += 1))),
      )
      expect(error).to.be.instanceOf(UnknownReplicaGroupError)
      expect(started).to.equal(0)
    })

    for (const concurrency of [1, 2, 5])
      it(`work on ${concurrency} shards at a time`, async () => {
        let running = 0
        let most = 0
        const work = async (): Promise<void> => {
          running += 1
          most = Math.max(most, running)
          await new Promise(setImmediate)
          running -= 1
        }
        await scopes.usingAll(work, { concurrency })
        expect(most).to.equal(concurrency)
        most = 0
        await scopesOver({}, { concurrency }).usingAll(work)
        expect(most).to.equal(concurrency)
      })

    for (const concurrency of [0, -1, 1.5, Number.NaN])
      it(`refuse a concurrency of ${concurrency}`, async () => {
        const error = await errorOf(() => scopes.usingAll(() => 1, { concurrency }))
        expect(error).to.be.instanceOf(InvalidScopeError)
      })

    it('name each shard that failed, after all have settled', async () => {
      const failures = { brazil: new Error('no table'), denmark: new Error('no route') }
      const done: string[] = []
      const error = await errorOf(() =>
        scopes.usingAll(async (shard) => {
          if (shard === 'brazil') throw failures.brazil
          await new Promise(setImmediate)
          done.push(shard)
          if (shard === 'denmark') throw failures.denmark
        }),
      )
      if (!(error instanceof FanOutError)) throw error
      expect(done).to.deep.equal(['master', 'canada', 'denmark', 'empty'])
      expect(error.failures).to.deep.equal([
        { shard: 'brazil', error: failures.brazil },
        { shard: 'denmark', error: failures.denmark },
      ])
      expect(error.succeeded).to.deep.equal(['master', 'canada', 'empty'])
      expect(error.cause).to.equal(failures.brazil)
      expect(error.message).to.equal(
        'Failed on 2 of 5 shards (succeeded: master, canada, empty)\n  - brazil: no table\n  - denmark: no route',
      )
    })

    it('collect every outcome where asked to', async () => {
      const failure = new Error('no table')
      const outcomes = await scopes.usingGroup(
        'americas',
        (shard) => {
          if (shard === 'canada') throw failure
          return shard.length
        },
        { onError: 'collect' },
      )
      expect(outcomes).to.deep.equal([
        { shard: 'canada', status: 'rejected', reason: failure },
        { shard: 'brazil', status: 'fulfilled', value: 6 },
      ])
    })

    it('visit only the default shard where octopus is disabled', async () => {
      const disabled = scopesOver({ isEnabled: false })
      expect(await disabled.usingAll((shard) => shard)).to.deep.equal([
        { shard: 'master', value: 'master' },
      ])
    })
  })
}
