import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { expect } from 'chai'
import { type ChildEnd, runChild } from '../connections/children.js'
import { MariadbCluster, PostgresCluster } from '../support/cluster/index.js'
import type { DriversTask, SpanFacts } from './drivers.child.js'

interface Step {
  readonly step: string
  readonly spans: readonly SpanFacts[]
}

const engines = {
  mariadb: {
    Cluster: MariadbCluster,
    package: '@opentelemetry/instrumentation-mysql2',
    system: 'mariadb',
    duplicate: { 'error.type': 'ER_DUP_ENTRY', 'db.response.status_code': '1062' },
  },
  postgres: {
    Cluster: PostgresCluster,
    package: '@opentelemetry/instrumentation-pg',
    system: 'postgresql',
    duplicate: { 'error.type': '23505', 'db.response.status_code': '23505' },
  },
} as const

for (const type of ['mariadb', 'postgres'] as const)
  describe(`spans over an instrumented driver of ${type}`, () => {
    const engine = engines[type]
    let end: ChildEnd
    let port: number

    before(async function () {
      this.timeout(60_000)
      const cluster = await engine.Cluster.start({ shards: 2, replicas: 1 })
      try {
        const { primary, replicas } = cluster.shard(0)
        const [replica] = replicas
        port = primary.port
        const task: DriversTask = {
          type,
          connection: primary.connectionOptions(),
          replica: { name: 'r1', host: replica?.host ?? '', port: replica?.port ?? 0 },
          canada: cluster.shard(1).primary.connectionOptions(),
        }
        end = await runChild('../telemetry/drivers.child.js', task, { timeoutMs: 40_000 })
      } finally {
        await cluster.stop()
      }
    })

    const spansOf = (step: string): readonly SpanFacts[] => {
      const found = (end.messages as Step[]).find((each) => each.step === step)
      if (found === undefined) throw new Error(`no ${step}: ${end.errors}`)
      return found.spans
    }
    const own = (spans: readonly SpanFacts[]) =>
      spans.filter(({ scope }) => scope === 'typeorm-octopus')
    /** The driver's spans of statements; making connections has spans of its own. */
    const calls = (spans: readonly SpanFacts[]) =>
      spans.filter(({ scope, name }) => scope === engine.package && !/connect/.test(name))

    it('ends well', () => {
      expect(end.errors).to.equal('')
      expect(end.code).to.equal(0)
    })

    for (const step of ['write', 'read', 'another shard', 'failure', 'transaction', 'at once'])
      it(`has the driver's span inside each of its own: ${step}`, () => {
        const spans = spansOf(step)
        const request = spans.find(({ name }) => name === 'request')
        const inner = calls(spans)
        const outer = own(spans)
        expect(inner).not.to.have.length(0)
        // The first statement on a server has those inside by which TypeORM gets to know it.
        expect([...new Set(inner.map(({ parent }) => parent))]).to.have.members(
          outer.map(({ id }) => id),
        )
        for (const { parent } of outer) expect(parent).to.equal(request?.id)
        for (const { kind } of inner) expect(kind).to.equal(SpanKind.CLIENT)
        for (const { kind } of outer) expect(kind).to.equal(SpanKind.INTERNAL)
      })

    it('has spans of streams, which the driver has none of', () => {
      const spans = spansOf('stream')
      const [stream, ...others] = own(spans)
      expect(stream).to.include({ name: 'SELECT notes', status: SpanStatusCode.UNSET })
      expect(others).to.deep.equal([])
      expect(calls(spans)).to.deep.equal([])
    })

    it('tells shard, role, server and database', () => {
      const [write] = own(spansOf('write'))
      expect(write).to.include({ name: 'INSERT notes' })
      expect(write?.attributes).to.include({
        'db.system.name': engine.system,
        'db.namespace': 'app',
        'db.collection.name': 'notes',
        'server.address': '127.0.0.1',
        'server.port': port,
        'octopus.shard': 'master',
        'octopus.role': 'primary',
      })
      const [read] = own(spansOf('read'))
      expect(read?.attributes).to.include({
        'octopus.shard': 'master',
        'octopus.role': 'replica',
        'octopus.node': 'r1',
        'octopus.reason': 'pinned to replica',
      })
      expect(read?.attributes['server.port']).to.be.a('number').not.equal(port)
      const [other] = own(spansOf('another shard'))
      expect(other?.attributes).to.include({ 'octopus.shard': 'canada' })
    })

    it('gives the statements of one transaction one route', () => {
      const spans = own(spansOf('transaction'))
      const begin = spans.find(({ name }) => name.startsWith('START'))
      const commit = spans.find(({ name }) => name.startsWith('COMMIT'))
      expect(begin?.attributes['octopus.route_id']).to.be.a('string')
      expect(begin?.attributes['octopus.route_id']).to.equal(commit?.attributes['octopus.route_id'])
    })

    it('tells the code of an error', () => {
      const [failure] = own(spansOf('failure'))
      expect(failure?.status).to.equal(SpanStatusCode.ERROR)
      expect(failure?.attributes).to.include(engine.duplicate)
      expect(JSON.stringify(failure)).not.to.include('of a client')
    })

    it('leaves the driver’s own spans where it was ended', () => {
      const spans = spansOf('after')
      expect(own(spans)).to.deep.equal([])
      expect(calls(spans)).to.have.length(1)
    })
  })
