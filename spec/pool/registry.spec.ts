import { expect } from 'chai'
import { Health } from '../../lib/pool/health.js'
import { noCounts } from '../../lib/pool/journal.js'
import type { Lease } from '../../lib/pool/lease.js'
import { type Customer, PoolRegistry, type WantedServer } from '../../lib/pool/registry.js'
import { type Endpoint, withEndpointOnline } from '../../lib/topology/snapshot.js'
import {
  StubConnector,
  brazil,
  brazilTopology,
  failureOf,
  nowhere,
  settingsWith,
} from './stub-connector.js'

describe('PoolRegistry', () => {
  let connectors: Map<string, StubConnector>
  const registryOf = ({ collapseReplicas = false } = {}): PoolRegistry =>
    new PoolRegistry({
      connectorFor: ({ node }) => {
        const connector = new StubConnector()
        connectors.set(node, connector)
        return connector
      },
      settingsFor: () => settingsWith(),
      addressOf: () => nowhere,
      collapseReplicas,
      health: new Health({
        setOnline: () => undefined,
        isKnown: () => true,
        probe: () => Promise.resolve(),
        warn: () => undefined,
        random: () => 0,
      }),
      isStarted: () => true,
    })
  const nodes = (endpoints: readonly Endpoint[]): string[] => endpoints.map(({ node }) => node)
  const primary = { role: 'primary', replicaGroup: undefined, reason: 'write' } as const
  const replica = {
    role: 'replica',
    replicaGroup: undefined,
    reason: 'read outside a transaction',
  } as const
  const customer = (route: WantedServer, balance: Customer<Lease>['balance']): Customer<Lease> => ({
    route,
    balance,
    owner: undefined,
    connectionScope: undefined,
    isRetry: false,
    callSite: undefined,
    servers: () => brazil,
    use: (lease) => lease,
  })

  beforeEach(() => {
    connectors = new Map()
  })

  it('chooses among the online replicas of the group, or takes the primary', () => {
    const registry = registryOf()
    expect(nodes(registry.candidatesOf(primary, brazil))).to.deep.equal(['brazil-primary'])
    expect(nodes(registry.candidatesOf(replica, brazil))).to.deep.equal(['br-2', 'br-3'])
    const reports = { ...replica, replicaGroup: 'reports' }
    expect(nodes(registry.candidatesOf(reports, brazil))).to.deep.equal(['br-3'])
    const without = withEndpointOnline(brazilTopology, 'brazil/replica br-3', false)
    const shard = without.shards.get('brazil')!
    expect(nodes(registry.candidatesOf(replica, shard))).to.deep.equal(['br-2'])
    expect(nodes(registry.candidatesOf(reports, shard))).to.deep.equal(['brazil-primary'])
  })

  it('uses the primary for every role where replicas collapse', () => {
    const registry = registryOf({ collapseReplicas: true })
    expect(nodes(registry.candidatesOf(replica, brazil))).to.deep.equal(['brazil-primary'])
  })

  it('asks the balancer only where there is a choice, and opens only what it picked', async () => {
    const registry = registryOf()
    const asked: string[][] = []
    const last = (candidates: readonly [Endpoint, ...Endpoint[]]): Endpoint => {
      asked.push(nodes(candidates))
      return candidates.at(-1)!
    }
    ;(await registry.checkout(customer(primary, last))).release()
    const lease = await registry.checkout(customer(replica, last))
    expect([lease.endpoint.node, nodes(lease.candidates)]).to.deep.equal(['br-3', ['br-2', 'br-3']])
    lease.release()
    expect(asked).to.deep.equal([['br-2', 'br-3']])
    expect([...connectors.keys()]).to.deep.equal(['brazil-primary', 'br-3'])
  })

  it('lists every server, used or not', async () => {
    const registry = registryOf()
    const lease = await registry.checkout(customer(primary, ([first]) => first))
    const idle = { state: 'idle', outOfService: undefined, max: 0, active: 0, idle: 0, waiting: 0 }
    const server = { ...noCounts, ...nowhere, shard: 'brazil', role: 'replica', group: undefined }
    expect(registry.list(brazilTopology)).to.deep.equal([
      {
        ...server,
        role: 'primary',
        node: 'brazil-primary',
        state: 'open',
        outOfService: undefined,
        max: 2,
        active: 1,
        idle: 0,
        waiting: 0,
        checkouts: 1,
        waits: 1,
      },
      { ...server, node: 'br-2', ...idle },
      { ...server, node: 'br-3', group: 'reports', ...idle },
    ])
    lease.release()
  })

  it('closes every pool though some fail, and says which', async () => {
    const registry = registryOf()
    for (const endpoint of [brazil.primary, ...brazil.replicas])
      await registry.poolOf(endpoint).start()
    const failures = ['br-2', 'br-3'].map((node) => {
      const failure = new Error(`${node} failed`)
      connectors.get(node)!.closeFault = failure
      return failure
    })
    const all = [...connectors.values()]
    const error = await failureOf(registry.closeAll(0))
    expect(error).to.be.instanceOf(AggregateError).with.deep.property('errors', failures)
    expect(all.map(({ closes }) => closes)).to.deep.equal([1, 1, 1])
    await registry.closeAll(0)
    expect(all.map(({ closes }) => closes)).to.deep.equal([1, 1, 1])
  })

  it('makes a new pool for a server after all were closed', async () => {
    const registry = registryOf()
    const first = registry.poolOf(brazil.primary)
    expect(registry.poolOf(brazil.primary)).to.equal(first)
    await registry.closeAll(0)
    expect(registry.poolOf(brazil.primary)).to.not.equal(first)
  })
})
