import { expect } from 'chai'
import type { Fault } from '../fault.js'
import { limits, type Stage } from '../stage.js'
import { read, write } from '../words.js'
import { refused } from './killed.js'

export const start: readonly Fault[] = [
  {
    title: 'start-up, the default primary down',
    boundMs: limits.acquireTimeoutMs,
    errors: { atMost: 1, like: new RegExp(`^${refused}$`), callers: /^start/ },
    async run(stage) {
      const db = stage.make()
      await stage.world.kill('north')
      await stage.inject(() =>
        stage.call({ caller: 'start', shard: 'north', kind: 'start' }, () => db.initialize()),
      )
      expect(db.isInitialized, 'initialised').to.equal(false)
      await stage.heal(() => stage.world.restart('north'))
      await stage.recovers(async () => {
        await db.initialize()
        await write(db, 'north')
      })
      await read(db, 'north')
    },
  },
  ...(['north-1', 'north-2'] as const).map((name) => ({
    title: `start-up, replica ${name} down`,
    boundMs: limits.acquireTimeoutMs,
    async run(stage: Stage) {
      await stage.world.kill(name)
      await stage.inject(() => stage.load())
      await stage.heal(() => stage.world.restart(name), name)
    },
  })),
  {
    title: 'start-up, all replicas down',
    boundMs: limits.acquireTimeoutMs,
    async run(stage) {
      await stage.world.kill('north-1', 'north-2')
      await stage.inject(() => stage.load())
      await stage.heal(() => stage.world.restart('north-1', 'north-2'), 'north-2')
    },
  },
  {
    title: 'start-up, the primary of another shard down',
    boundMs: limits.acquireTimeoutMs,
    errors: { atMost: 60, like: new RegExp(`^${refused}$`), callers: /^south/ },
    async run(stage) {
      await stage.world.kill('south')
      await stage.inject(() => stage.work())
      await stage.lasts(2)
      await stage.heal(() => stage.world.restart('south'))
    },
  },
]
