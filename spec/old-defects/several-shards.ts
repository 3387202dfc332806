import { stripVTControlCharacters } from 'node:util'
import { expect } from 'chai'
import { AbstractLogger, type LogLevel, type LogMessage } from 'typeorm'
import { FanOutError, UnknownGroupError, formatRouteEvent } from '../../lib/index.js'
import { failureOf } from '../typeorm/compat/support.js'
import { Client } from './entities.js'
import type { Stage } from './stage.js'

/** Keeps what TypeORM logs. */
class Lines extends AbstractLogger {
  readonly lines: string[] = []
  protected writeLog(_level: LogLevel, message: LogMessage | string | number): void {
    for (const { message: text } of this.prepareLogMessages(message)) this.lines.push(String(text))
  }
}

/** Work over several shards, and what tells where it was done. */
export const severalShards = (stage: () => Stage): void => {
  it('[T15] a group is visited in its order, to its end, and every failure is told', async () => {
    const { db } = stage()
    const visited: string[] = []
    const visit = async (shard: string): Promise<void> => {
      visited.push(shard)
      if (shard === 'russia') throw new Error('planned')
      await db.manager.insert(Client, { name: shard })
    }
    const sent = await stage().sent(async () => {
      const error = await failureOf(() => db.usingGroup('all', visit, { concurrency: 1 }))
      expect(error).to.be.instanceOf(FanOutError)
      const { failures, succeeded } = error as FanOutError
      expect(failures.map(({ shard }) => shard)).to.deep.equal(['russia'])
      expect(succeeded).to.deep.equal(['master', 'canada'])
    })
    expect(visited).to.deep.equal(['master', 'russia', 'canada'])
    expect(sent).to.deep.equal({ master: ['insert client'], canada: ['insert client'] })
    expect(db.octopus.currentShard()).to.equal('master')
  })

  // The appendix tells of it beside T15.
  it('[T16] a group that does not exist is an error that lists those that do, before any work', async () => {
    const { db } = stage()
    const sent = await stage().sent(async () => {
      const work = () => db.manager.insert(Client, { name: 'lost' })
      const error = await failureOf(() => db.using('canada', () => db.usingGroup('nope', work)))
      expect(error).to.be.instanceOf(UnknownGroupError)
      expect(error).to.have.deep.property('known', ['all'])
      await db.manager.update(Client, 1, { name: 'on the shard of before' })
    })
    expect(sent).to.deep.equal({ master: ['update client'] })
  })

  it('[G3] usingAll visits every shard once, and no replica', async () => {
    const { db } = stage()
    const visited: string[] = []
    const sent = await stage().sent(() =>
      db.usingAll((shard) => {
        visited.push(shard)
        return db.manager.insert(Client, { name: shard })
      }),
    )
    expect(visited).to.deep.equal(['master', 'russia', 'canada'])
    expect(sent).to.deep.equal({
      master: ['insert client'],
      russia: ['insert client'],
      canada: ['insert client'],
    })
  })

  it('[G4] trace and log name every server, the default one and replicas of groups too', async () => {
    const logger = new Lines(true)
    await stage().with(
      {},
      async (db) => {
        logger.lines.length = 0
        const { events } = await db.octopus.withTrace(async () => {
          await db.usingPrimary(() => db.manager.find(Client))
          await db.usingReplica({ group: 'slow' }, () => db.manager.find(Client))
          await db.using('russia', () =>
            db.usingReplica({ group: 'fast' }, () => db.manager.find(Client)),
          )
        })
        expect(events.map((event) => formatRouteEvent(event).replace(/\].*/, ''))).to.deep.equal([
          `[master/primary ${events[0]?.node}`,
          '[master/replica master-r2',
          '[russia/replica russia-r1',
        ])
        expect(
          logger.lines.map((line) => stripVTControlCharacters(line).replace(/\].*/s, ']')),
        ).to.deep.equal([
          `[Shard: master, primary ${events[0]?.node}]`,
          '[Shard: master, replica master-r2]',
          '[Shard: russia, replica russia-r1]',
        ])
      },
      { logger, logging: true },
    )
  })
}
