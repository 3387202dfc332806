import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect } from 'chai'
import type { RouteEvent } from '../../lib/trace/event.js'
import { type RouteRecord, TraceHub, eventFor, routeChannelName } from '../../lib/trace/hub.js'
import { recordOf } from './support.js'

const ignore = (): void => undefined

describe('TraceHub', () => {
  let hub: TraceHub
  let heard: RouteEvent[]
  beforeEach(() => {
    hub = new TraceHub()
    heard = []
  })

  it('is on while somebody listens, here or on the channel', () => {
    expect(hub.isOn).to.equal(false)
    const stop = hub.add(ignore, {})
    expect(hub.isOn).to.equal(true)
    stop()
    expect(hub.isOn).to.equal(false)
    subscribe(routeChannelName, ignore)
    expect(hub.isOn).to.equal(true)
    unsubscribe(routeChannelName, ignore)
    expect(hub.isOn).to.equal(false)
  })

  it('hands on the very event where nothing more was asked for', () => {
    hub.add((event) => heard.push(event), {})
    const record = recordOf()
    hub.emit(record, undefined)
    expect(heard).to.have.length(1)
    expect(heard[0]).to.equal(record.event)
  })

  it('adds SQL and parameters for those who asked, frozen too', () => {
    hub.add((event) => heard.push(event), { sql: true, parameters: true })
    hub.emit(recordOf(), undefined)
    expect(heard[0]).to.deep.include({ sql: recordOf().sql, parameters: ['Ana'] })
    expect(Object.isFrozen(heard[0])).to.equal(true)
  })

  it('keeps internal events for those who asked', () => {
    const all: RouteEvent[] = []
    const published: unknown[] = []
    const collected: RouteRecord[] = []
    const publish = (event: unknown): void => void published.push(event)
    hub.add((event) => heard.push(event), {})
    hub.add((event) => all.push(event), { internal: true })
    subscribe(routeChannelName, publish)
    hub.emit(recordOf({ kind: 'internal' }), (record) => collected.push(record))
    unsubscribe(routeChannelName, publish)
    expect([heard, published, collected, all].map(({ length }) => length)).to.deep.equal([
      // A collector sorts out by itself what it was asked for.
      0, 0, 1, 1,
    ])
  })

  it('tells the others though one throws', async () => {
    const failures = [new Error('first failed'), 'second failed']
    const warned = new Promise<string[]>((resolve) => {
      const messages: string[] = []
      const hear = ({ message }: Error): void => {
        if (message.endsWith('failed')) messages.push(message)
        if (messages.length < failures.length) return
        process.off('warning', hear)
        resolve(messages)
      }
      process.on('warning', hear)
    })
    for (const failure of failures)
      hub.add(() => {
        // oxlint-disable-next-line typescript/only-throw-error -- users throw anything
        throw failure
      }, {})
    hub.add((event) => heard.push(event), {})
    const collected: RouteRecord[] = []
    hub.emit(recordOf(), (record) => collected.push(record))
    expect([heard.length, collected.length]).to.deep.equal([1, 1])
    expect(await warned).to.deep.equal(['first failed', 'second failed'])
  })

  for (const [how, listener] of [
    [
      'throws',
      () => {
        throw new Error('no disk')
      },
    ],
    [
      'fails later',
      async () => {
        throw new Error('no disk')
      },
    ],
  ] as const)
    it(`warns, as of nothing else, of one that ${how}`, async () => {
      const warned = new Promise<Error & { detail?: unknown }>((resolve) => {
        const hear = (warning: Error): void => {
          if (warning.message !== 'no disk') return
          process.off('warning', hear)
          resolve(warning)
        }
        process.on('warning', hear)
      })
      // oxlint-disable-next-line typescript/no-misused-promises -- users do it
      hub.add(listener, {})
      hub.emit(recordOf(), undefined)
      const warning = await warned
      expect(warning).to.include({ name: 'OctopusTraceWarning', message: 'no disk' })
      expect(warning.detail).to.match(/^A route listener threw/)
      expect(warning.cause).to.be.instanceOf(Error)
    })

  it('lets a listener leave while it is told', () => {
    const stop = hub.add((event) => {
      heard.push(event)
      stop()
    }, {})
    hub.emit(recordOf(), undefined)
    hub.emit(recordOf(), undefined)
    expect(heard).to.have.length(1)
  })

  it('tells a listener twice that was added twice, until each is taken off', () => {
    const listener = (event: RouteEvent): void => void heard.push(event)
    const stops = [hub.add(listener, {}), hub.add(listener, { sql: true })]
    hub.emit(recordOf(), undefined)
    expect(heard).to.have.length(2)
    stops[0]?.()
    hub.emit(recordOf(), undefined)
    expect(heard).to.have.length(3)
    expect(heard[2]).to.have.property('sql')
  })
})

describe('eventFor', () => {
  it('leaves out what was not asked for', () => {
    expect(eventFor(recordOf(), {})).to.not.have.any.keys('sql', 'parameters')
    expect(eventFor(recordOf(), { sql: true })).to.not.have.property('parameters')
    expect(eventFor(recordOf(), { parameters: true })).to.not.have.property('sql')
  })
})
