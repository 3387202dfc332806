import { SpanKind, SpanStatusCode, context, trace } from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
} from '@opentelemetry/sdk-trace-base'
import { expect } from 'chai'
import type { ConnectionProxy } from '../../lib/index.js'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { Note, Tracing, openShards, suppressed } from './support.js'

const attributesOf = (spans: readonly ReadableSpan[]) => spans.map(({ attributes }) => attributes)

describe('OpenTelemetry spans', () => {
  let db: ConnectionProxy
  let tracing: Tracing
  let stop: () => void

  beforeEach(async () => {
    db = await openShards()
    tracing = new Tracing()
    stop = () => undefined
  })
  afterEach(async () => {
    stop()
    await tracing.stop()
    await db.destroy()
  })

  it('tell where a statement went, and why', async () => {
    stop = instrumentOctopus(db, { metrics: false })
    const notes = db.getRepository(Note)
    const [insert, select, raw, ...others] = await tracing.during(async () => {
      await db.using('brazil', () => notes.insert({ id: 1, text: '' }))
      await db.using('brazil', () => notes.find())
      await db.query('PRAGMA table_info(notes)')
    })
    expect(others).to.deep.equal([])
    expect(insert).to.include({ name: 'INSERT notes', kind: SpanKind.CLIENT })
    expect(insert?.status.code).to.equal(SpanStatusCode.UNSET)
    expect(insert?.attributes).to.include({
      'db.system.name': 'sqlite',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'notes',
      'db.query.summary': 'INSERT notes',
      'octopus.kind': 'statement',
      'octopus.shard': 'brazil',
      'octopus.role': 'primary',
      'octopus.node': 'primary',
      'octopus.reason': 'write',
      'octopus.shard_reason': 'scope',
      'octopus.operation': 'insert',
      'octopus.entity': 'Note',
      'octopus.in_transaction': false,
      'octopus.waited_ms': 0,
      'octopus.verified': false,
      'octopus.retried': false,
      'octopus.cached': false,
    })
    expect(insert?.attributes['octopus.route_id']).to.be.a('string')
    expect(insert?.attributes['octopus.scope_id']).to.be.a('string')
    expect(select?.attributes).to.include({
      'octopus.shard': 'brazil',
      'octopus.role': 'replica',
      'octopus.reason': 'read outside a transaction',
    })
    expect(raw).to.include({ name: 'PRAGMA' })
    expect(raw?.attributes).to.include({ 'octopus.shard': 'master', 'octopus.reason': 'raw query' })
    expect(raw?.attributes).not.to.have.any.keys('db.collection.name', 'octopus.scope_id')
  })

  it('have the SQL only if it is asked for, and never parameters', async () => {
    const work = () => db.getRepository(Note).findBy({ text: 'a parameter' })
    stop = instrumentOctopus(db, { metrics: false })
    expect(attributesOf(await tracing.during(work))[0]).not.to.have.property('db.query.text')
    stop()
    stop = instrumentOctopus(db, { metrics: false, statementText: true })
    const [span] = await tracing.during(work)
    expect(span?.attributes['db.query.text']).to.match(/^SELECT .* WHERE .*\?/)
    expect(JSON.stringify(span?.attributes)).not.to.include('a parameter')
  })

  it('stand within the span around them, and are what runs in a statement is within', async () => {
    stop = instrumentOctopus(db, { metrics: false })
    let inside: string | undefined
    const end = db.octopus.onStatement(() => ({
      run(send) {
        inside = trace.getActiveSpan()?.spanContext().spanId
        return send()
      },
      settled: () => undefined,
    }))
    const spans = await tracing.during(() =>
      tracing.within('request', () => db.getRepository(Note).find()),
    )
    end()
    const [select, request] = spans
    expect(request?.name).to.equal('request')
    expect(select?.parentSpanContext?.spanId).to.equal(request?.spanContext().spanId)
    expect(select?.spanContext().traceId).to.equal(request?.spanContext().traceId)
    expect(inside).to.equal(select?.spanContext().spanId)
    expect(trace.getActiveSpan()).to.equal(undefined)
  })

  it('keep apart what runs at the same time', async () => {
    stop = instrumentOctopus(db, { metrics: false })
    const request = (shard: string) =>
      tracing.within(shard, () => db.using(shard, () => db.getRepository(Note).find()))
    const spans = await tracing.during(() =>
      Promise.all(['brazil', 'canada', 'brazil'].map(request)),
    )
    const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]))
    const statements = spans.filter(({ attributes }) => 'octopus.shard' in attributes)
    expect(statements).to.have.length(3)
    for (const { attributes, parentSpanContext } of statements)
      expect(byId.get(parentSpanContext?.spanId ?? '')?.name).to.equal(attributes['octopus.shard'])
  })

  it('tell of an error without its message', async () => {
    stop = instrumentOctopus(db, { metrics: false, statementText: false })
    const notes = db.getRepository(Note)
    await notes.insert({ id: 1, text: 'of a client' })
    const [span] = await tracing.during(() =>
      notes.insert({ id: 1, text: 'of a client' }).catch(() => undefined),
    )
    expect(span?.status).to.deep.equal({ code: SpanStatusCode.ERROR })
    expect(span?.attributes).to.include({
      'error.type': 'QueryFailedError',
      'octopus.error_stage': 'query',
    })
    expect(span?.events).to.deep.equal([])
  })

  it('tell of what the result cache answers', async () => {
    await db.destroy()
    db = await openShards({}, { cache: true })
    stop = instrumentOctopus(db, { metrics: false })
    const read = () => db.getRepository(Note).find({ cache: 60_000 })
    await read()
    const spans = await tracing.during(read)
    const hit = spans.find(({ attributes }) => attributes['octopus.cached'] === true)
    expect(hit).to.include({ name: 'SELECT notes' })
    expect(hit?.attributes).not.to.have.any.keys('octopus.node', 'server.address')
  })

  it('respect suppressed tracing, and samplers', async () => {
    stop = instrumentOctopus(db, { metrics: false })
    const read = () => db.getRepository(Note).find()
    expect(await tracing.during(() => context.with(suppressed(), read))).to.deep.equal([])
    stop()

    const seen: unknown[] = []
    const sampler: Sampler = {
      shouldSample: (_context, _traceId, name, _kind, attributes) => {
        seen.push(name, attributes['octopus.shard'], attributes['db.query.summary'])
        return { decision: SamplingDecision.NOT_RECORD }
      },
      toString: () => 'none',
    }
    const others = new Tracing(sampler)
    stop = instrumentOctopus(db, { metrics: false, tracerProvider: others.provider })
    expect(await others.during(read)).to.deep.equal([])
    expect(seen).to.deep.equal(['SELECT notes', 'master', 'SELECT notes'])
    await others.provider.shutdown()
  })

  it('can be of the kind "internal", and only where there is a span around', async () => {
    stop = instrumentOctopus(db, { metrics: false, spanKind: 'internal', requireParentSpan: true })
    const read = () => db.getRepository(Note).find()
    expect(await tracing.during(read)).to.deep.equal([])
    const [span] = await tracing.during(() => tracing.within('request', read))
    expect(span).to.include({ name: 'SELECT notes', kind: SpanKind.INTERNAL })
  })

  it('are of the data source that is named', async () => {
    stop = instrumentOctopus(db, { metrics: false, name: 'orders' })
    const [span] = await tracing.during(() => db.getRepository(Note).find())
    expect(span?.attributes).to.include({ 'octopus.source': 'orders' })
  })

  it('have an operation of few words, whatever raw SQL begins with', async () => {
    stop = instrumentOctopus(db, { metrics: false })
    const [span] = await tracing.during(() => db.query('hunter2 is no SQL').catch(() => undefined))
    expect(span).to.include({ name: 'OTHER' })
    expect(JSON.stringify(span?.attributes).toLowerCase()).not.to.include('hunter2')
  })

  it('follow a statement on a shard that was removed meanwhile', async () => {
    stop = instrumentOctopus(db, { metrics: false })
    await db.octopus.addShard('peru', { type: 'sqljs' })
    const runner = db.shard('peru').createQueryRunner()
    await runner.query('SELECT 1')
    await db.octopus.removeShard('peru')
    const [span] = await tracing.during(() => runner.query('SELECT 1').catch(() => undefined))
    expect(span?.attributes).to.include({ 'octopus.shard': 'peru', 'db.system.name': 'sqlite' })
    await runner.release()
  })

  it('are no more once it was ended, and nobody listens then', async () => {
    instrumentOctopus(db, { tracerProvider: tracing.provider })()
    const spans = await tracing.during(() => db.getRepository(Note).find())
    expect(spans).to.deep.equal([])
  })

  it('cost no statement its result where the SDK is not there', async () => {
    await tracing.stop()
    stop = instrumentOctopus(db)
    expect(await db.getRepository(Note).count()).to.equal(0)
    tracing = new Tracing(new AlwaysOffSampler())
  })
})
