import { expect } from 'chai'
import { DataSource, type DataSourceOptions } from 'typeorm'
import {
  type CheckNodesOptions,
  type ConnectionProxy,
  type NodesCheck,
  type OctopusOptions,
  type RouteEvent,
  octopus,
} from '../../../lib/index.js'
import {
  type Cluster,
  type ClusterNode,
  MariadbCluster,
  PostgresCluster,
} from '../../support/cluster/index.js'
import { freePort } from '../../support/cluster/free-port.js'
import { until } from '../../support/until.js'
import { SilentServer } from '../topology/silent-server.js'

const server = ({ name, host, port }: ClusterNode) => ({ name, host, port })

/** What was found, in few words: `brazil/s1r1 error wrong-role`. */
const inShort = ({ findings }: NodesCheck): string[] =>
  findings.map(({ shard, node, role, level, kind }) => {
    const name = `${shard}/${role === 'primary' ? role : node}`
    return level === 'ok' ? `${name} ok` : `${name} ${level} ${kind}`
  })

const whatOf = ({ findings }: NodesCheck, node: string): string =>
  findings
    .filter((finding) => finding.node === node)
    .map(({ what }) => what)
    .join('\n')

const inOneLine = (texts: readonly string[]): string[] =>
  texts.map((sql) => sql.replaceAll(/\s+/g, ' '))

const secret = 'pl4nted-s3cret'

for (const [engine, Engine] of [
  ['mariadb', MariadbCluster],
  ['postgres', PostgresCluster],
] as const)
  describe(`checkNodes on ${engine}`, function () {
    this.timeout(60_000)
    let cluster: Cluster

    before(async () => {
      cluster = await Engine.start({ shards: 2, replicas: 1 })
    })
    after(() => cluster?.stop())

    const replica = (name: string) => server(cluster.node(name))

    const primary = (name: string) => {
      const { host, port } = cluster.node(name)
      return { host, port }
    }

    /** Two shards as they are; what is given replaces it. */
    const wrap = ({
      brazil,
      ...options
    }: OctopusOptions & { readonly brazil?: object } = {}): ConnectionProxy => {
      const connection = { type: engine, ...cluster.node('s0p').connectionOptions() }
      return octopus(new DataSource(connection as DataSourceOptions), {
        replicas: [replica('s0r1')],
        shards: { brazil: { ...primary('s1p'), replicas: [replica('s1r1')], ...brazil } },
        ...options,
      })
    }

    /** Checks, and makes sure that nothing is left of it. */
    const check = async (
      db: ConnectionProxy,
      options: CheckNodesOptions = {},
    ): Promise<NodesCheck> => {
      const found = await db.octopus.checkNodes({ timeoutMs: 20_000, ...options })
      expect(db.isInitialized).to.equal(false)
      for (const node of cluster.nodes)
        if (node.isReachable)
          await until(async () => (await node.connections()) === 0, {
            what: `no connection to ${node.name}`,
          })
      return found
    }

    it('finds nothing where all is well, before the data source is initialised', async () => {
      const seen: string[] = []
      const checked = await check(wrap(), { onNode: ({ node }) => seen.push(node) })
      expect(inShort(checked)).to.deep.equal([
        'master/primary ok',
        'master/s0r1 ok',
        'brazil/primary ok',
        'brazil/s1r1 ok',
      ])
      expect(checked.isHealthy).to.equal(true)
      expect(seen).to.have.members(['127.0.0.1', 's0r1', '127.0.0.1', 's1r1'])
    })

    it('tells what each server is', async () => {
      const { nodes } = await check(wrap())
      const [first, second] = nodes
      expect(nodes.every(({ isReachable, error }) => isReachable && error === undefined)).to.equal(
        true,
      )
      const { host, port } = cluster.node('s0r1')
      expect(second).to.include({ engine, shard: 'master', role: 'replica', host, port })
      expect(first?.server).to.include({ actualRole: 'primary', takesWrites: true })
      expect(first?.server?.replication).to.equal(undefined)
      expect(second?.server).to.include({ actualRole: 'replica', takesWrites: false })
      expect(second?.server?.replication).to.deep.include({ isRunning: true, lagMs: 0 })
      expect(first?.server?.version).to.match(/^\d+\.\d+/)
      expect(first?.server?.identity).to.match(/^\d+$/)
      expect(first?.server?.characterSet).to.match(/utf8/i)
      expect(first?.server?.isolation).to.match(/READ/i)
      for (const key of ['timeZone', 'collation'] as const)
        expect(first?.server?.[key], key).to.be.a('string')
      // The same clock.
      const { clockOffsetMs = NaN, clockErrorMs = NaN } = first?.server ?? {}
      expect(Math.abs(clockOffsetMs) - clockErrorMs).to.be.lessThan(100)
    })

    it('tells the trace of each statement that it sends, as internal', async () => {
      const db = wrap()
      const events: RouteEvent[] = []
      db.octopus.onRoute((event) => events.push(event), { internal: true, sql: true })
      const marks = cluster.nodes.map((node) => ({ node, mark: node.mark() }))
      await check(db)
      const told = ({ shardIndex, role }: ClusterNode): string[] =>
        events
          .filter((event) => event.shard === (shardIndex === 0 ? 'master' : 'brazil'))
          .filter((event) => event.role === role)
          .map(({ sql }) => sql ?? '')
      for (const { node, mark } of marks) {
        const sent = (await node.statementsSince(mark)).map(({ sql }) => sql)
        expect(sent.length, node.name).to.be.greaterThan(4)
        expect(inOneLine(told(node)), node.name).to.have.members(inOneLine(sent))
      }
      expect(events.every(({ kind }) => kind === 'internal')).to.equal(true)
    })

    it('finds roles that are swapped', async () => {
      const swapped = wrap({ brazil: { ...primary('s1r1'), replicas: [replica('s1p')] } })
      const checked = await check(swapped)
      expect(checked.isHealthy).to.equal(false)
      expect(inShort(checked).slice(2)).to.deep.equal([
        'brazil/primary error wrong-role',
        'brazil/s1p error wrong-role',
      ])
    })

    it('finds a primary that takes no writes', async () => {
      await cluster.setReadOnly(cluster.node('s1p'), true)
      try {
        expect(inShort(await check(wrap())).slice(2)).to.deep.equal([
          'brazil/primary error read-only',
          'brazil/s1r1 ok',
        ])
      } finally {
        await cluster.setReadOnly(cluster.node('s1p'), false)
      }
    })

    it('finds what keeps it from a server, without the password', async () => {
      const db = wrap({
        replicas: [
          { ...replica('s0r1'), password: secret },
          { name: 'nobody', host: '127.0.0.1', port: await freePort() },
        ],
        brazil: { database: 'app_nowhere', replicas: [] },
      })
      const checked = await check(db)
      expect(inShort(checked)).to.deep.equal([
        'master/primary ok',
        'master/s0r1 error unreachable',
        'master/nobody error unreachable',
        'brazil/primary error unreachable',
      ])
      expect(checked.nodes.map(({ error }) => error?.failure)).to.deep.equal([
        undefined,
        'access-denied',
        'host-unreachable',
        'unknown-database',
      ])
      expect(JSON.stringify(checked)).not.to.include(secret)
    })

    it('waits no longer than it is told to for a server that is silent', async () => {
      const silent = await SilentServer.start()
      try {
        const db = wrap({
          replicas: [{ name: 'silent', host: silent.host, port: silent.port }],
        })
        const checked = await check(db, { timeoutMs: 300 })
        expect(whatOf(checked, 'silent')).to.match(/no answer in 300 ms$/)
      } finally {
        silent.stop()
      }
    })

    it('finds a replica of another primary', async () => {
      const other = cluster.shard(1).primary
      // More than shard 0 has ever written.
      await other.sql(
        engine === 'mariadb' ? 'CREATE TABLE app.more (id int)' : 'CREATE TABLE more (id int)',
      )
      if (engine === 'postgres')
        await other.sql('INSERT INTO more SELECT * FROM generate_series(1, 20000)')
      await cluster.waitUntilCaughtUp(cluster.shard(1))
      const checked = await check(
        wrap({ replicas: [replica('s1r1')], brazil: { replicas: [] }, allowSharedServer: true }),
      )
      expect(inShort(checked)).to.deep.equal([
        'master/primary ok',
        'master/s1r1 error other-primary',
        'brazil/primary ok',
      ])
    })

    it('finds a replica that applies nothing', async () => {
      const frozen = cluster.node('s1r1')
      await cluster.freezeReplication(frozen)
      try {
        const checked = await check(wrap())
        expect(inShort(checked).slice(2)).to.deep.equal([
          'brazil/primary ok',
          'brazil/s1r1 error replication',
        ])
        expect(whatOf(checked, 's1r1')).to.match(
          engine === 'mariadb' ? /applying: No/ : /applying is paused/,
        )
      } finally {
        await cluster.unfreezeReplication(frozen)
      }
    })

    it('finds a primary that is down, and replicas that miss it', async () => {
      await cluster.node('s1p').stop()
      const db = wrap()
      let checked = await check(db)
      // The replica notices it a moment later.
      await until(
        async () => {
          checked = await check(db)
          return inShort(checked)[3] === 'brazil/s1r1 error replication'
        },
        { what: 'the replica to miss its primary', timeoutMs: 20_000 },
      )
      expect(inShort(checked)).to.deep.equal([
        'master/primary ok',
        'master/s0r1 ok',
        'brazil/primary error unreachable',
        'brazil/s1r1 error replication',
      ])
      await cluster.node('s1p').start()
    })

    it('leaves the pools of an initialised data source as they are', async () => {
      const db = wrap()
      await db.initialize()
      try {
        const before = db.octopus.pools()
        expect(inShort(await db.octopus.checkNodes({ timeoutMs: 20_000 }))).to.have.lengthOf(4)
        expect(db.octopus.pools()).to.deep.equal(before)
      } finally {
        await db.destroy()
      }
    })

    if (engine === 'mariadb')
      it('asks the master of TypeORM’s own replication', async () => {
        const [first, second] = cluster.shard(0).nodes.map((node) => node.connectionOptions())
        const replication = { master: first!, slaves: [second!] }
        const db = octopus(new DataSource({ type: engine, replication }))
        expect(inShort(await check(db))).to.deep.equal(['master/primary ok'])
      })

    if (engine === 'mariadb')
      it('says what it may not see', async () => {
        const grants = cluster.shard(0)
        await grants.primary.sql("REVOKE SLAVE MONITOR ON *.* FROM app@'%'")
        await cluster.waitUntilCaughtUp(grants)
        try {
          const checked = await check(wrap())
          expect(inShort(checked).slice(0, 2)).to.deep.equal([
            'master/primary ok',
            'master/s0r1 warning replication',
          ])
          expect(whatOf(checked, 's0r1')).to.include('REPLICA MONITOR')
        } finally {
          await grants.primary.sql("GRANT SLAVE MONITOR ON *.* TO app@'%'")
          await cluster.waitUntilCaughtUp(grants)
        }
      })

    it('asks only the servers that are used', async () => {
      const collapsed = await check(wrap({ collapseReplicas: true }))
      expect(inShort(collapsed)).to.deep.equal(['master/primary ok', 'brazil/primary ok'])
    })
  })
