import { expect } from 'chai'
import { BootstrapError, type ConnectionProxy } from '../../lib/index.js'
import type { Cluster } from '../support/cluster/index.js'
import { failureOf, fixture, runScript, sourceOver, startShards, untold } from './support.js'

/** What each database has further that is to be copied. */
const further = {
  mariadb: `
    CREATE TABLE \`odd \`\` name\` (id int AUTO_INCREMENT PRIMARY KEY, text varchar(20) COMMENT 'it''s',
      KEY by_part (text(5) DESC)) ENGINE=Aria COMMENT='odd' COLLATE=utf8mb4_bin;
    INSERT INTO countries VALUES ('br', 'Brazil');
    INSERT INTO migrations (timestamp, name) VALUES (2, 'Second2'), (1, 'First1')`,
  postgres: `
    CREATE SEQUENCE tickets AS int START 5 INCREMENT 3 MINVALUE 2 MAXVALUE 500 CYCLE;
    CREATE UNLOGGED TABLE "odd "" name" (id int NOT NULL DEFAULT nextval('tickets'), text varchar(20) COLLATE "C",
      tags text[] DEFAULT '{}', EXCLUDE USING hash (text WITH =), UNIQUE (id) DEFERRABLE);
    COMMENT ON TABLE "odd "" name" IS 'it''s odd';
    COMMENT ON COLUMN "odd "" name".text IS 'a "text"';
    CREATE INDEX by_tags ON "odd "" name" USING gin (tags);
    INSERT INTO migrations (timestamp, name) VALUES (2, 'Second2'), (1, 'First1')`,
} as const

/** What is in a copy's way, and what is told of it. */
const obstacles = {
  mariadb: {
    make: `CREATE TRIGGER no_score BEFORE INSERT ON customers FOR EACH ROW SET NEW.score = 0;
      CREATE PROCEDURE tidy() SELECT 1; CREATE VIEW names AS SELECT name FROM customers`,
    told: ['view names', 'trigger no_score', 'procedure tidy'],
  },
  postgres: {
    make: `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER no_score BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION nothing();
      CREATE DOMAIN short AS varchar(3); CREATE VIEW names AS SELECT name FROM customers;
      CREATE TABLE parts (id int NOT NULL) PARTITION BY RANGE (id);
      ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON customers USING (score > 0)`,
    told: [
      'settings of table customers: row security',
      'trigger no_score',
      'view names',
      'settings of table parts: partition by RANGE (id)',
      'function nothing',
      'type short',
      'policy own',
    ],
  },
} as const

for (const engine of ['mariadb', 'postgres'] as const)
  describe(`a copy of a schema on ${engine}`, function () {
    this.timeout(60_000)
    let cluster: Cluster
    let db: ConnectionProxy

    before(async () => {
      cluster = await startShards(engine, 2)
      const ownership = engine === 'postgres' ? 'SET ROLE app;' : ''
      await runScript(cluster, 0, `${ownership}${fixture(engine).base}${further[engine]}`)
      db = sourceOver(cluster, ['brazil', 'peru'])
      await db.initialize()
    })

    after(async () => {
      expect(db.octopus.pools().reduce((sum, { active }) => sum + active, 0)).to.equal(0)
      await db.destroy()
      expect(await untold(cluster)).to.deep.equal([])
      await cluster.stop()
    })

    if (engine === 'mariadb')
      it('leaves an empty database where a statement fails', async () => {
        // Aria is refused, and it is not the first table.
        const { primary } = cluster.shard(1)
        await primary.sql(
          `SET GLOBAL enforce_storage_engine = InnoDB; SET GLOBAL sql_mode = 'NO_ENGINE_SUBSTITUTION'`,
        )
        const refused = await failureOf(() => db.octopus.schema.bootstrap('peru', { via: 'copy' }))
        expect(String(refused)).to.match(/NO_ENGINE_SUBSTITUTION/)
        await primary.sql('SET GLOBAL enforce_storage_engine = NULL')
        expect(await db.shard('peru').query('SHOW TABLES')).to.deep.equal([])
        await db.octopus.disconnectAll()
      })

    it('is as its reference in all that is compared, and has its version but none of its rows', async () => {
      const report = await db.octopus.schema.bootstrap('peru', { via: 'copy' })
      expect(report.migrations).to.deep.equal(['Second2', 'First1'])
      expect(report.tables).to.have.length(9)
      const diff = await db.octopus.schema.diff()
      expect(diff.shards.map(({ status }) => status)).to.deep.equal(['reference', 'same'])
      expect(await db.shard('peru').query('SELECT * FROM countries')).to.deep.equal([])
      await db.shard('peru').query(`INSERT INTO countries VALUES ('pe', 'Peru')`)
    })

    if (engine === 'postgres')
      it('is as its reference too where the schemas have other names', async () => {
        await runScript(cluster, 1, 'CREATE SCHEMA tenant AUTHORIZATION app')
        const tenant = { ...cluster.shard(1).primary.connectionOptions(), schema: 'tenant' }
        const other = sourceOver(cluster, ['brazil'], {}, { shards: { tenant } })
        await other.initialize()
        try {
          const report = await other.octopus.schema.bootstrap('tenant', { via: 'copy' })
          expect(report).to.deep.include({ reference: 'brazil', migrations: ['Second2', 'First1'] })
          const rows = await other.shard('tenant').query('SELECT name FROM tenant.migrations')
          expect(rows).to.deep.equal([{ name: 'Second2' }, { name: 'First1' }])
        } finally {
          await other.destroy()
        }
      })

    it('is refused, naming everything that would be left out', async () => {
      await runScript(cluster, 0, obstacles[engine].make)
      await runScript(
        cluster,
        1,
        engine === 'mariadb'
          ? 'DROP DATABASE app; CREATE DATABASE app'
          : 'DROP SCHEMA tenant CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION app',
      )
      const refused = await failureOf(() => db.octopus.schema.bootstrap('peru', { via: 'copy' }))
      expect(refused).to.be.instanceOf(BootstrapError)
      expect((refused as BootstrapError).obstacles).to.have.members(
        obstacles[engine].told.map((what) => `"brazil" has a ${what}`),
      )
    })
  })
