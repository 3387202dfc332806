import { expect } from 'chai'
import {
  ConfigError,
  type ConnectionProxy,
  UnknownGroupError,
  UnknownNodeError,
  UnknownShardError,
  shardVariable,
} from '../../lib/index.js'
import { describeOnEachEngine } from '../support/three-shards.js'
import { Entry, type Wrapped, end, failure, wrap } from './topology/support.js'

const texts = async ({ db, entries }: Wrapped, shard: string): Promise<string[]> =>
  (await db.using(shard, () => entries.find({ order: { id: 'ASC' } }))).map(({ text }) => text)

const nodeOf = (db: ConnectionProxy, shard: string): string =>
  db.octopus.pools().find((pool) => pool.shard === shard)!.node

describeOnEachEngine('a topology that changes', (shards, engine) => {
  let stage: Wrapped
  const isFile = engine === 'sql.js'

  const withCanada = async (groups: string[] = []): Promise<void> => {
    await stage.db.octopus.addShard('canada', shards().canada, { groups })
    await stage.db.using('canada', () => stage.db.synchronize(true))
  }

  beforeEach(async () => {
    const { connection, brazil } = shards()
    stage = wrap(connection, { shards: { brazil }, groups: { americas: ['brazil'] } })
    await stage.db.initialize()
    await stage.db.usingAll(() => stage.db.synchronize(true))
  })
  afterEach(() => end(stage.db))

  describe('by addShard', () => {
    it('has a new shard for scopes, handles, groups and all', async () => {
      const { db, entries } = stage
      await withCanada(['americas'])
      await db.using('canada', () => entries.insert({ text: 'in a scope' }))
      await db.shard('canada').getRepository(Entry).insert({ text: 'by a handle' })
      await db.usingGroup('americas', (shard) => entries.insert({ text: `group ${shard}` }))
      const visited = await db.usingAll(() => entries.count())
      expect(visited.map(({ shard }) => shard)).to.deep.equal(['master', 'brazil', 'canada'])
      expect(await texts(stage, 'canada')).to.deep.equal([
        'in a scope',
        'by a handle',
        'group canada',
      ])
      expect(await texts(stage, 'master')).to.deep.equal([])
      expect(db.octopus.shardNames).to.deep.equal(['master', 'brazil', 'canada'])
      expect(db.octopus.groups.get('americas')).to.deep.equal(['brazil', 'canada'])
    })

    it('has entities that are at home on the new shard', async () => {
      const { db, entries } = stage
      await withCanada()
      const entry = await db.using('canada', () => entries.save({ text: 'new' }))
      expect(db.octopus.shardOf(entry)).to.equal('canada')
      await entries.save(Object.assign(entry, { text: 'changed' }))
      expect(await texts(stage, 'canada')).to.deep.equal(['changed'])
    })

    it('leaves the servers there are connected', async () => {
      const opened = () => stage.db.octopus.pools().filter(({ state }) => state === 'open')
      const before = opened().map(({ shard }) => shard)
      await withCanada()
      expect(opened().map(({ shard }) => shard)).to.deep.equal([...before, 'canada'])
      expect(before).to.deep.equal(['master', 'brazil'])
    })

    it('does it before the data source is initialised as well', async () => {
      const { connection, brazil, canada } = shards()
      const early = wrap(connection, { shards: { brazil } })
      await early.db.octopus.addShard('canada', { ...canada, synchronize: true })
      await early.db.initialize()
      try {
        expect(await texts(early, 'canada')).to.deep.equal([])
      } finally {
        await end(early.db)
      }
    })
  })

  describe('by removeShard', () => {
    it('knows the shard no more, in scopes, handles, groups and homes', async () => {
      const { db, entries } = stage
      await withCanada(['americas'])
      const handle = db.shard('canada')
      const entry = await db.using('canada', () => entries.save({ text: 'left behind' }))
      await db.octopus.removeShard('canada')
      expect(() => db.using('canada', () => undefined)).to.throw(UnknownShardError)
      expect(() => db.shard('canada')).to.throw(UnknownShardError)
      for (const work of [
        () => handle.getRepository(Entry).find(),
        () => handle.getRepository(Entry).insert({ text: 'late' }),
        () => handle.query('SELECT 1'),
        () => handle.transaction(() => Promise.resolve()),
        () => entries.save(Object.assign(entry, { text: 'late' })),
        () => entries.remove(entry),
      ])
        expect(await failure(Promise.resolve().then(work))).to.be.instanceOf(UnknownShardError)
      expect(db.octopus.pools().map(({ shard }) => shard)).to.deep.equal(['master', 'brazil'])
      expect(db.octopus.groups.get('americas')).to.deep.equal(['brazil'])
      expect((await db.usingAll(() => entries.count())).length).to.equal(2)
    })

    it('refuses what comes from a scope that was opened before', async () => {
      const { db, entries } = stage
      await withCanada()
      await db.using('canada', async () => {
        await entries.count()
        await db.octopus.removeShard('canada')
        expect(await failure(Promise.resolve().then(() => entries.count()))).to.be.instanceOf(
          UnknownShardError,
        )
      })
    })

    it('refuses to leave an entity outside sharding without its shard', async () => {
      const { connection, brazil } = shards()
      const pinned = wrap(connection, {
        shards: { brazil },
        unsharded: [{ entity: Entry, shard: 'brazil' }],
      })
      await pinned.db.initialize()
      try {
        const error = await failure(pinned.db.octopus.removeShard('brazil'))
        expect(error).to.be.instanceOf(ConfigError)
        expect((error as Error).message).to.match(/shards\.brazil: is where Entry lives/)
        expect(pinned.db.octopus.shardNames).to.deep.equal(['master', 'brazil'])
      } finally {
        await end(pinned.db)
      }
    })

    it('refuses to remove the shard that OCTOPUS_SHARD names', async () => {
      process.env[shardVariable] = 'brazil'
      try {
        const { connection, brazil } = shards()
        const { db } = wrap(connection, { shards: { brazil } })
        const error = await failure(db.octopus.removeShard('brazil'))
        expect(error).to.be.instanceOf(ConfigError)
        expect((error as Error).message).to.match(/OCTOPUS_SHARD names/)
      } finally {
        delete process.env[shardVariable]
      }
    })

    it('lets a shard come back, with its handles and its entities', async () => {
      const { db, entries } = stage
      await withCanada()
      const handle = db.shard('canada')
      const entry = await db.using('canada', () => entries.save({ text: 'here' }))
      await db.octopus.removeShard('canada')
      await withCanada()
      expect(db.shard('canada')).to.equal(handle)
      await handle.getRepository(Entry).insert({ text: 'again' })
      expect(db.octopus.shardOf(entry)).to.equal('canada')
      expect(await texts(stage, 'canada')).to.deep.equal(['again'])
    })
  })

  describe('with a mistake', () => {
    const mistakes: Record<string, [(db: ConnectionProxy) => Promise<void>, Function, RegExp]> = {
      'a shard that is there': [
        (db) => db.octopus.addShard('brazil', {}),
        ConfigError,
        /shards\.brazil: is a shard already/,
      ],
      'a shard of the default shard’s name': [
        (db) => db.octopus.addShard('master', {}),
        ConfigError,
        /shards\.master: is a shard already/,
      ],
      'a name that cannot be one': [
        (db) => db.octopus.addShard('a b', shards().canada),
        ConfigError,
        /not a name/,
      ],
      'the name of a group': [
        (db) => db.octopus.addShard('americas', shards().canada),
        ConfigError,
        /groups\.americas: is the name of a shard too/,
      ],
      'an unknown key': [
        (db) => db.octopus.addShard('canada', { ...shards().canada, hots: 'x' } as object),
        ConfigError,
        /shards\.canada\.hots: unknown key; did you mean "host"/,
      ],
      'an unknown group': [
        (db) => db.octopus.addShard('canada', shards().canada, { groups: ['europe'] }),
        UnknownGroupError,
        /"europe"; configured groups: americas/,
      ],
      'schema work that initialize() does': [
        (db) => db.octopus.addShard('canada', { ...shards().canada, synchronize: true }),
        ConfigError,
        /shards\.canada\.synchronize: is done by initialize\(\)/,
      ],
      'an engine that no shard has': [
        (db) => db.octopus.addShard('canada', { type: 'better-sqlite3', database: ':memory:' }),
        ConfigError,
        /another engine or schema \(better-sqlite3\)/,
      ],
      'a result cache that the DataSource does not have': [
        (db) => db.octopus.addShard('canada', { ...shards().canada, cache: true }),
        ConfigError,
        /shards\.canada\.cache: asks for a result cache/,
      ],
      'a shard to remove that is not there': [
        (db) => db.octopus.removeShard('canada'),
        UnknownShardError,
        /"canada"; configured shards: master, brazil/,
      ],
      'the default shard to remove': [
        (db) => db.octopus.removeShard('master'),
        ConfigError,
        /default shard, which cannot be removed/,
      ],
      'the only shard of a group to remove': [
        (db) => db.octopus.removeShard('brazil'),
        ConfigError,
        /only shard of the group "americas"/,
      ],
      'a replica of an unknown shard': [
        (db) => db.octopus.addReplica('canada', {}),
        UnknownShardError,
        /"canada"/,
      ],
      'a replica with the name of its primary': [
        (db) => db.octopus.addReplica('brazil', { ...shards().canada, name: nodeOf(db, 'brazil') }),
        ConfigError,
        /is the name of another server of this shard/,
      ],
      'a replica to remove that is not there': [
        (db) => db.octopus.removeReplica('brazil', nodeOf(db, 'brazil')),
        UnknownNodeError,
        /Shard "brazil" has no replica ".+"; its replicas: none\./,
      ],
      'a node of an unknown shard': [
        (db) => db.octopus.updateNode('canada', 'x', {}),
        UnknownShardError,
        /"canada"/,
      ],
      'an unknown node': [
        (db) => db.octopus.updateNode('brazil', 'nobody', {}),
        UnknownNodeError,
        /Shard "brazil" has no node "nobody"; its nodes: \S+\./,
      ],
      'a node’s setting that belongs to the data source': [
        (db) =>
          db.octopus.updateNode('brazil', nodeOf(db, 'brazil'), { entityPrefix: 'x_' } as object),
        ConfigError,
        /entityPrefix: cannot be changed while the process runs/,
      ],
      'a node’s setting that is the shard’s': [
        (db) => db.octopus.updateNode('brazil', nodeOf(db, 'brazil'), { reads: 'x' } as object),
        ConfigError,
        /reads: is not an option of one \w+ server/,
      ],
      'another name for a node': [
        (db) => db.octopus.updateNode('brazil', nodeOf(db, 'brazil'), { name: 'x' } as object),
        ConfigError,
        /name: cannot be changed/,
      ],
      'a weight for a primary': [
        (db) => db.octopus.updateNode('brazil', nodeOf(db, 'brazil'), { weight: 2 }),
        ConfigError,
        /weight: is an option of replicas/,
      ],
      ...(isFile
        ? {
            'a file to move': [
              (db) => db.octopus.updateNode('brazil', nodeOf(db, 'brazil'), { location: 'x' }),
              ConfigError,
              /brazil\/primary \w+: sqljs has a file and no server that could move/,
            ],
          }
        : {
            'a value of the wrong kind': [
              (db) =>
                db.octopus.updateNode('master', nodeOf(db, 'master'), { port: 'x' } as object),
              ConfigError,
              /port: has a value that \w+ does not take/,
            ],
            'another engine': [
              (db) =>
                db.octopus.updateNode('brazil', nodeOf(db, 'brazil'), { type: 'mysql' } as object),
              ConfigError,
              /type: cannot be changed/,
            ],
            'the server of the default shard': [
              (db) => {
                const { host, port } = shards().connection as { host?: string; port?: number }
                return db.octopus.updateNode('brazil', nodeOf(db, 'brazil'), {
                  host: host ?? '',
                  port: port ?? 0,
                })
              },
              ConfigError,
              /shards\.brazil: is on the same server and database as the default shard/,
            ],
            'a URL that cannot be read': [
              (db) => db.octopus.updateNode('brazil', nodeOf(db, 'brazil'), { url: 'nowhere' }),
              ConfigError,
              /url: expected a URL/,
            ],
          }),
    }

    for (const [title, [change, kind, message]] of Object.entries(mistakes))
      it(`stays as it is: ${title}`, async () => {
        const { db, source } = stage
        const { octopus: control } = db
        const state = () => ({
          shards: control.shardNames,
          groups: control.groups,
          pools: control.pools(),
          options: source.options,
          brazil: db.shard('brazil').options,
        })
        const before = state()
        const error = await failure(change(db))
        expect(error).to.be.instanceOf(kind)
        expect((error as Error).message).to.match(message)
        expect(state()).to.deep.equal(before)
        expect(await texts(stage, 'brazil')).to.deep.equal([])
        // And a right change is still possible.
        await withCanada()
        expect(await texts(stage, 'canada')).to.deep.equal([])
      })
  })
})
