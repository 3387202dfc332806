import { expect } from 'chai'
import { ConfigError, UnknownGroupError, UnknownShardError } from '../../lib/index.js'
import { failureOf } from '../typeorm/compat/support.js'
import type { Stage } from './stage.js'

/** Where migrations run. */
export const migrations = (stage: () => Stage): void => {
  afterEach(() => stage().dropFurtherTables())

  const migrated = async (): Promise<readonly string[]> => {
    const names = ['master', 'russia', 'canada'] as const
    const found = await Promise.all(
      names.map(async (name) => (await stage().furtherTables(name)).includes('visits')),
    )
    return names.filter((_, index) => found[index])
  }

  it('[MIG] a group or shard that does not exist fails before any migration, and none falls to the default shard', async () => {
    const { db } = stage()
    const sent = await stage().sent(async () => {
      const run = () => db.runMigrations()
      expect(await failureOf(() => db.usingGroup('nope', run))).to.be.instanceOf(UnknownGroupError)
      expect(await failureOf(() => db.using('nope', run))).to.be.instanceOf(UnknownShardError)
    })
    expect(sent).to.deep.equal({})
    expect(await migrated()).to.deep.equal([])
  })

  it('[MIG] a group that lists a shard which does not exist is an error of the configuration', async () => {
    const error = await failureOf(() => stage().wrap({ groups: { all: ['master', 'rusia'] } }))
    expect(error).to.be.instanceOf(ConfigError)
    expect(error).to.have.property('message').that.includes('did you mean "russia"')
  })

  it('[MIG] a shard that is named outright is the one that migrates, whatever the process’s shard', async () => {
    process.env['OCTOPUS_SHARD'] = 'canada'
    let db
    try {
      db = stage().wrap()
    } finally {
      delete process.env['OCTOPUS_SHARD']
    }
    await db.initialize()
    try {
      await db.using('russia', () => db.runMigrations())
      expect(await migrated()).to.deep.equal(['russia'])
      await db.runMigrations()
      expect(await migrated()).to.deep.equal(['russia', 'canada'])
    } finally {
      await db.destroy()
    }
  })
}
