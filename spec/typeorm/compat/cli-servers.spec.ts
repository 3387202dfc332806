import { expect } from 'chai'
import {
  type Cluster,
  type ClusterNode,
  MariadbCluster,
  PostgresCluster,
} from '../../support/cluster/index.js'
import { until } from '../../support/until.js'
import { ChildFolder, libraryUrl } from './child.js'

const server = ({ host, port }: ClusterNode) => ({ host, port })

const dataSourceFile = (type: string, cluster: Cluster, brazil: object): string => `
import { DataSource, EntitySchema } from 'typeorm'
import { octopus } from ${JSON.stringify(libraryUrl)}

const Item = new EntitySchema({
  name: 'Item',
  columns: {
    id: { type: Number, primary: true, generated: true },
    name: { type: String, length: 20, unique: true },
    madeAt: { type: ${JSON.stringify(type === 'mariadb' ? 'datetime' : 'timestamp')}, createDate: true },
  },
})
class Seed1700000000000 {
  name = 'Seed1700000000000'
  up = (runner) => runner.manager.insert('Item', { name: 'seeded' })
  down = (runner) => runner.manager.delete('Item', { name: 'seeded' })
}
export const db = octopus(
  new DataSource({
    type: ${JSON.stringify(type)}, ...${JSON.stringify(cluster.shard(0).primary.connectionOptions())},
    entities: [Item], migrations: [Seed1700000000000], cache: true,
  }),
  {
    replicas: [${JSON.stringify(server(cluster.shard(0).replica()))}],
    shards: { brazil: ${JSON.stringify({
      ...server(cluster.shard(1).primary),
      replicas: [server(cluster.shard(1).replica())],
      ...brazil,
    })} },
  },
)
`

for (const [type, Engine] of [
  ['mariadb', MariadbCluster],
  ['postgres', PostgresCluster],
] as const)
  describe(`TypeORM's command line on ${type}`, function () {
    this.timeout(60_000)
    let cluster: Cluster
    let folder: ChildFolder

    before(async () => {
      cluster = await Engine.start({ shards: 2, replicas: 1 })
      folder = new ChildFolder()
    })
    after(async () => {
      folder?.remove()
      await cluster?.stop()
    })

    const typeorm = async (args: readonly string[], shard?: string): Promise<string> => {
      const env: Record<string, string> = shard === undefined ? {} : { OCTOPUS_SHARD: shard }
      const { code, stdout, stderr } = await folder.typeorm([...args, '-d', 'db.mjs'], env)
      expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' })
      return stdout
    }
    const names = async (node: ClusterNode): Promise<string[]> => {
      const table = type === 'mariadb' ? 'app.item' : 'item'
      const rows = await node.sql<{ name: string }>(`SELECT name FROM ${table} ORDER BY id`)
      return rows.map(({ name }) => name)
    }

    it('works on the named shard’s primary only, and ends', async () => {
      folder.write('db.mjs', dataSourceFile(type, cluster, {}))
      const marks = cluster.nodes.map((node) => ({ node, mark: node.mark() }))
      expect(await typeorm(['schema:log'], 'brazil')).to.match(/CREATE TABLE/)
      await typeorm(['schema:sync'], 'brazil')
      expect(await typeorm(['schema:log'], 'brazil')).to.match(/up to date/)
      await typeorm(['migration:run'], 'brazil')
      expect(await typeorm(['query', 'SELECT name FROM item'], 'brazil')).to.include('seeded')
      await typeorm(['cache:clear'], 'brazil')
      expect(await names(cluster.node('s1p'))).to.deep.equal(['seeded'])
      await typeorm(['migration:revert'], 'brazil')
      expect(await names(cluster.node('s1p'))).to.deep.equal([])
      for (const { node, mark } of marks) {
        const sent = await node.statementsSince(mark)
        const about = sent.filter(({ sql }) => /item|migrations/i.test(sql))
        if (node.name === 's1p') expect(about).not.to.deep.equal([])
        else expect(about, node.name).to.deep.equal([])
        await until(async () => (await node.connections()) === 0, {
          what: `no socket at ${node.name}`,
        })
      }
    })

    it('keeps the rows of a shard with dropSchema in schema:log', async () => {
      folder.write('db.mjs', dataSourceFile(type, cluster, {}))
      const fill = async (shard: string): Promise<void> => {
        await typeorm(['schema:sync'], shard)
        await typeorm(['query', `INSERT INTO item (name) VALUES ('${shard}')`], shard)
      }
      await Promise.all([fill('master'), fill('brazil')])
      folder.write('db.mjs', dataSourceFile(type, cluster, { dropSchema: true, synchronize: true }))
      for (const shard of [undefined, 'brazil'])
        expect(await typeorm(['schema:log'], shard)).to.match(/up to date/)
      expect(await names(cluster.node('s1p'))).to.deep.equal(['brazil'])
      expect(await names(cluster.node('s0p'))).to.deep.equal(['master'])
    })
  })
