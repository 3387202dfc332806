import { expect } from 'chai'
import { DataSource } from 'typeorm'
import {
  ConnectError,
  type ConnectionProxy,
  type SchemaDifference,
  octopus,
} from '../../lib/index.js'
import { type Cluster, MariadbCluster, statementsDuring } from '../support/cluster/index.js'
import {
  type ServerEngine,
  fixture,
  runScript,
  sourceOver,
  startShards,
  untold,
} from './support.js'

/** What the fixture plants: kind, table, name, in the reference, on the shard. */
type Planted = readonly [
  kind: SchemaDifference['kind'],
  table: string | undefined,
  name: string,
  reference: string | undefined,
  actual: string | undefined,
  implied?: readonly string[],
]

const utf8mb4 = { general: 'utf8mb4_general_ci', binary: 'utf8mb4_bin' } as const

const planted: Readonly<Record<ServerEngine, readonly Planted[]>> = {
  mariadb: [
    [
      'table',
      'coupons',
      'coupons',
      'table with 2 columns',
      undefined,
      ['index coupon_uses_coupon of coupon_uses', 'foreign key coupon_uses_coupon of coupon_uses'],
    ],
    ['table', 'tmp_export', 'tmp_export', undefined, 'table with 2 columns'],
    [
      'column',
      'customers',
      'state',
      "enum('new','active') NOT NULL DEFAULT 'new'",
      undefined,
      ['index customers_by_state of customers'],
    ],
    ['column', 'orders', 'legacy_id', undefined, 'int'],
    ['type', 'customers', 'nickname', 'varchar(80)', 'varchar(40)'],
    ['type', 'orders', 'id', 'bigint', 'int'],
    ['nullability', 'orders', 'note', 'NULL', 'NOT NULL'],
    ['nullability', 'labels', 'text', 'NOT NULL', 'NULL'],
    ['default', 'customers', 'score', '0', '10'],
    ['default', 'customers', 'created_at', 'current_timestamp()', undefined],
    ['index', 'customers', 'customers_by_name', 'btree (name, created_at)', 'btree (name)'],
    ['index', 'orders', 'orders_by_amount', undefined, 'btree (amount)'],
    ['unique', 'customers', 'customers_email', 'UNIQUE btree (email)', undefined],
    ['unique', 'customers', 'customers_phone', 'UNIQUE btree (phone)', 'btree (phone)'],
    [
      'foreign key',
      'orders',
      'orders_customer',
      '(customer_id) REFERENCES customers (id) ON DELETE CASCADE ON UPDATE RESTRICT',
      '(customer_id) REFERENCES customers (id) ON DELETE RESTRICT ON UPDATE RESTRICT',
    ],
    [
      'foreign key',
      'customers',
      'customers_country',
      '(country) REFERENCES countries (code) ON DELETE RESTRICT ON UPDATE RESTRICT',
      undefined,
      ['index customers_country of customers'],
    ],
    ['check', 'customers', 'customers_score', '`score` >= 0', '`score` >= 1'],
    ['check', 'customers', 'customers_name', 'char_length(`name`) > 0', undefined],
    ['collation', 'logs', 'logs', utf8mb4.general, utf8mb4.binary],
    ['collation', 'labels', 'hint', utf8mb4.general, utf8mb4.binary],
    ['engine', 'labels', 'labels', 'InnoDB', 'Aria'],
    ['engine', 'visits', 'visits', 'InnoDB', 'MEMORY'],
  ],
  postgres: [
    [
      'table',
      'coupons',
      'coupons',
      'table with 2 columns',
      undefined,
      ['foreign key coupon_uses_coupon_id_fkey of coupon_uses'],
    ],
    ['table', 'tmp_export', 'tmp_export', undefined, 'table with 2 columns'],
    [
      'column',
      'customers',
      'state',
      "mood NOT NULL DEFAULT 'ok'::mood",
      undefined,
      ['index customers_by_state of customers'],
    ],
    ['column', 'orders', 'legacy_id', undefined, 'integer'],
    ['type', 'customers', 'nickname', 'character varying(80)', 'text'],
    ['type', 'orders', 'id', 'bigint', 'integer'],
    ['nullability', 'orders', 'note', 'NULL', 'NOT NULL'],
    ['nullability', 'labels', 'text', 'NOT NULL', 'NULL'],
    ['default', 'customers', 'score', '0', '10'],
    ['default', 'customers', 'created_at', 'now()', undefined],
    ['index', 'customers', 'customers_by_name', 'btree (name, created_at)', 'btree (name DESC)'],
    ['index', 'orders', 'orders_by_amount', undefined, 'hash (amount)'],
    ['unique', 'customers', 'customers_email', 'UNIQUE btree (email)', undefined],
    ['unique', 'customers', 'customers_phone', 'UNIQUE btree (phone)', 'btree (phone)'],
    [
      'unique',
      'customers',
      'customers_by_settings',
      'UNIQUE INDEX btree (lower((email)::text)) WHERE (score > 0)',
      'UNIQUE INDEX btree (lower((email)::text)) WHERE (score > 5)',
    ],
    [
      'foreign key',
      'orders',
      'orders_customer',
      'FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE',
      'FOREIGN KEY (customer_id) REFERENCES customers(id)',
    ],
    [
      'foreign key',
      'customers',
      'customers_country',
      'FOREIGN KEY (country) REFERENCES countries(code)',
      undefined,
    ],
    ['check', 'customers', 'customers_score', 'CHECK ((score >= 0))', 'CHECK ((score >= 1))'],
    ['check', 'customers', 'customers_name', 'CHECK ((length((name)::text) > 0))', undefined],
    ['collation', 'logs', 'line', 'default', 'C'],
    ['collation', 'labels', 'hint', 'default', 'POSIX'],
    ['engine', 'visits', 'visits', 'heap', 'unlogged heap'],
    ['engine', 'coupon_uses', 'coupon_uses', 'heap', 'heap_of_another_name'],
    ['enum', undefined, 'mood', "'sad', 'ok'", "'sad', 'ok', 'happy'"],
    ['enum', undefined, 'color', "'red', 'green'", "'red', 'blue', 'green'"],
  ],
}

const tuple = (difference: SchemaDifference): Planted => {
  const { kind, table, name, reference, actual, implied } = difference
  return implied.length === 0
    ? [kind, table, name, reference, actual]
    : [kind, table, name, reference, actual, implied]
}

for (const engine of ['mariadb', 'postgres'] as const)
  describe(`schema.diff() on ${engine}`, function () {
    this.timeout(60_000)
    let cluster: Cluster
    let db: ConnectionProxy

    before(async () => {
      cluster = await startShards(engine, 3)
      const { base, drift } = fixture(engine)
      for (const shard of [0, 1, 2]) await runScript(cluster, shard, base)
      await runScript(cluster, 1, drift)
      db = sourceOver(cluster, ['brazil', 'canada', 'chile'])
      await db.initialize()
    })

    after(async () => {
      expect(db.octopus.pools().reduce((sum, { active }) => sum + active, 0)).to.equal(0)
      await db.destroy()
      expect(await untold(cluster)).to.deep.equal([])
      await cluster.stop()
    })

    it('finds each planted difference, each alone, and nothing on a shard that is the same', async () => {
      const { isSame, shards } = await db.octopus.schema.diff()
      expect(isSame).to.equal(false)
      expect(shards.map(({ shard, status }) => [shard, status])).to.deep.equal([
        ['brazil', 'reference'],
        ['canada', 'different'],
        ['chile', 'same'],
      ])
      const [, canada] = shards
      const found = canada?.status === 'different' ? canada.differences.map(tuple) : []
      expect(found).to.have.deep.members([...planted[engine]])
    })

    it('finds the same ones in the other direction', async () => {
      const { shards } = await db.octopus.schema.diff({ reference: 'canada', shards: ['chile'] })
      expect(shards.map(({ shard, status }) => [shard, status])).to.deep.equal([
        ['canada', 'reference'],
        ['chile', 'different'],
      ])
      const [, chile] = shards
      const found = chile?.status === 'different' ? chile.differences.map(tuple) : []
      expect(found.map(([kind, table, name]) => [kind, table, name])).to.have.deep.members(
        planted[engine].map(([kind, table, name]) => [kind, table, name]),
      )
    })

    it('tells of shards that it cannot compare or read, and compares the others', async () => {
      const other = sourceOver(
        cluster,
        ['brazil', 'canada', 'chile'],
        {},
        {
          shards: { embedded: { type: 'sqljs' }, down: { host: '127.0.0.1', port: 1 } },
        },
      )
      await other.initialize()
      const { isSame, shards } = await other.octopus.schema.diff()
      const sync = await other.octopus.schema.sync({ dryRun: true, shards: ['down', 'chile'] })
      await other.destroy()
      expect(sync.shards.map(({ shard, status }) => `${shard} ${status}`)).to.deep.equal([
        'chile same',
        'down failed',
      ])
      expect(isSame).to.equal(false)
      expect(shards.map(({ shard, status }) => [shard, status])).to.deep.equal([
        ['brazil', 'reference'],
        ['canada', 'different'],
        ['chile', 'same'],
        ['embedded', 'not comparable'],
        ['down', 'failed'],
      ])
      const [, , , embedded, down] = shards
      expect(embedded).to.have.property('reason', 'no other shard that was read is sqlite')
      expect(down).to.have.property('error').that.is.instanceOf(ConnectError)
    })

    it('says why nothing is comparable where the reference cannot be read', async () => {
      const other = sourceOver(
        cluster,
        ['brazil'],
        {},
        {
          shards: { down: { host: '127.0.0.1', port: 1 } },
        },
      )
      await other.initialize()
      const { shards } = await other.octopus.schema.diff({ reference: 'down' })
      await other.destroy()
      expect(shards[0]).to.deep.equal({
        shard: 'brazil',
        status: 'not comparable',
        reason: 'the reference "down" could not be read',
      })
    })

    it('sends as many statements to a full database as to an empty one, to primaries only', async () => {
      const statements = await statementsDuring(cluster, () => db.octopus.schema.diff())
      const counts = Object.values(statements).map((sent) => sent.length)
      expect(Math.max(...counts)).to.be.at.most(14)
      await runScript(
        cluster,
        2,
        Array.from(
          { length: 20 },
          (_, at) => `CREATE TABLE more_${at} (id int PRIMARY KEY, a int)`,
        ).join('; '),
      )
      const more = await statementsDuring(cluster, () => db.octopus.schema.diff())
      expect(Object.values(more).map((sent) => sent.length)).to.deep.equal(counts)
    })
  })

describe('schema.diff() beside replicas', function () {
  this.timeout(60_000)

  it('asks primaries only, also in a scope of replicas', async () => {
    const cluster = await MariadbCluster.start({ shards: 1, replicas: 1 })
    const { primary, replicas } = cluster.shard(0)
    const db = octopus(new DataSource({ type: 'mariadb', ...primary.connectionOptions() }), {
      replicas: replicas.map(({ host, port }) => ({ host, port })),
    })
    try {
      await db.initialize()
      const statements = await statementsDuring(cluster, async () => {
        await db.usingReplica(() => db.octopus.schema.diff())
        await db.usingReplica(() => db.octopus.schema.sync({ dryRun: true }))
      })
      expect(statements['s0p']).to.have.length.above(8)
      expect(statements['s0r1']).to.deep.equal([])
    } finally {
      await db.destroy()
      await cluster.stop()
    }
  })
})
