import { h, type JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { PoolView, ServerView, ShardView, StateView } from '../lib/inspector/state.js'
import { Chart, rateOf } from './chart.js'
import { count, duration } from './format.js'
import { type Bar, lastMinute, type Rates } from './rates.js'

/** More shards than these are looked for by name. */
const mostShown = 60

interface TopologyProperties {
  readonly state: StateView
  readonly rates: Rates
  readonly chosen: { readonly shard: string; readonly node: string }
  /** Chooses the routes of a shard or server; of all, if it is what is chosen already. */
  readonly choose: (shard: string, node: string) => void
}

const isInTrouble = ({ servers }: ShardView): boolean =>
  servers.some(
    ({ outOfService, pool, health }) =>
      outOfService !== undefined ||
      pool.waiting > 0 ||
      health?.findings.some(({ level }) => level === 'error') === true,
  )

/** Every shard with its servers, those with servers out of service first. */
export const Topology = ({ state, rates, chosen, choose }: TopologyProperties): JSX.Element => {
  const { shards, isEnabled, collapsesReplicas, healthProblem } = state
  const [text, setText] = useState('')
  const now = useNow()
  const found = shards.filter(({ name, groups }) =>
    [name, ...groups].some((word) => word.toLowerCase().includes(text.toLowerCase())),
  )
  const isLong = shards.length > mostShown
  const sorted = isLong
    ? found.toSorted((one, other) => Number(isInTrouble(other)) - Number(isInTrouble(one)))
    : found
  const listed = sorted.slice(0, mostShown)
  const charts = listed.map(({ name }) => lastMinute(rates, name, now))
  const most = Math.max(...charts.flat().map(({ primary, replica }) => primary + replica), 0)
  const out = shards.flatMap(({ servers }) => servers).filter((server) => server.outOfService)
  return (
    <section class="topology" aria-labelledby="topology-title">
      <header class="section-head">
        <h2 id="topology-title">Topology</h2>
        <span class="quiet">
          {count(shards.length, 'shard')},{' '}
          {count(
            shards.reduce((sum, { servers }) => sum + servers.length, 0),
            'server',
          )}
        </span>
        {out.length > 0 && <span class="badge bad">{out.length} out of service</span>}
      </header>
      {!isEnabled && (
        <p class="note">Routing is off (enabled: false): all goes to the default shard.</p>
      )}
      {collapsesReplicas && (
        <p class="note">Primaries answer for their replicas (collapseReplicas).</p>
      )}
      {healthProblem !== undefined && <p class="note">Servers were not asked: {healthProblem}</p>}
      {isLong && (
        <input
          class="shard-search"
          type="search"
          aria-label="Find a shard by its name or group"
          placeholder="Find a shard or group"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      )}
      <ul class="shards">
        {listed.map((shard, at) => (
          <Shard
            key={shard.name}
            shard={shard}
            bars={charts[at] ?? []}
            most={most}
            chosen={chosen}
            choose={choose}
          />
        ))}
      </ul>
      {found.length > listed.length && (
        <p class="quiet">{count(found.length - listed.length, 'more shard')}: find them by name.</p>
      )}
    </section>
  )
}

/** The time, by the second: charts move on when nothing comes, too. */
const useNow = (): number => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}

interface ShardProperties extends Pick<TopologyProperties, 'chosen' | 'choose'> {
  readonly shard: ShardView
  readonly bars: readonly Bar[]
  readonly most: number
}

const Shard = ({ shard, bars, most, chosen, choose }: ShardProperties): JSX.Element => {
  const { name, isDefault, groups, servers } = shard
  const isChosen = chosen.shard === name
  return (
    <li class={isInTrouble(shard) ? 'shard trouble' : 'shard'}>
      <div class="shard-head">
        <button
          class="link shard-name"
          aria-pressed={isChosen && chosen.node === ''}
          title="Only the routes of this shard"
          onClick={() => choose(name, '')}
        >
          {name}
        </button>
        {isDefault && <span class="tag">default</span>}
        {groups.map((group) => (
          <span key={group} class="tag" title={`In the shard group ${group}`}>
            {group}
          </span>
        ))}
        <span class="rate" title="Statements a second, over the last ten">
          {rateOf(bars).toFixed(1)}/s
        </span>
        <Chart bars={bars} most={most} />
      </div>
      <ul class="servers">
        {servers.map((server) => (
          <Server
            key={`${server.role} ${server.node}`}
            server={server}
            isChosen={isChosen && chosen.node === server.node}
            choose={() => choose(name, server.node)}
          />
        ))}
      </ul>
    </li>
  )
}

interface ServerProperties {
  readonly server: ServerView
  readonly isChosen: boolean
  readonly choose: () => void
}

const Server = ({ server, isChosen, choose }: ServerProperties): JSX.Element => {
  const { node, role, group, outOfService } = server
  return (
    <li class={outOfService === undefined ? 'server' : 'server out'}>
      <span class={`role ${role}`} title={role}>
        {role === 'primary' ? 'P' : 'R'}
        <span class="off-screen">{role}</span>
      </span>
      <button
        class="link server-name"
        aria-pressed={isChosen}
        title={`${placeOf(server)}\nPress for the routes of this server only.`}
        onClick={choose}
      >
        {node}
      </button>
      {group !== undefined && (
        <span class="tag" title={`In the replica group ${group}`}>
          {group}
        </span>
      )}
      <Lag server={server} />
      <PoolUse pool={server.pool} />
      {outOfService !== undefined && <p class="why-out">Out of service: {outOfService}</p>}
      {server.health?.findings.map(({ level, what, remedy }) => (
        <p key={what} class={level === 'error' ? 'why-out' : 'why-out only-warning'} title={remedy}>
          {what}
        </p>
      ))}
    </li>
  )
}

const placeOf = ({ engine, host, port, database, health }: ServerView): string => {
  const server = [host, port].filter((part) => part !== undefined).join(':')
  const version = health?.version
  return [version === undefined ? engine : `${engine} ${version}`, server, database]
    .filter((part) => part !== undefined && part !== '')
    .join(', ')
}

/** How far a replica is behind, once it was asked. */
const Lag = ({ server }: { readonly server: ServerView }): JSX.Element | null => {
  const lagMs = server.health?.lagMs
  if (lagMs === undefined) return null
  return (
    <span
      class={lagMs < 1000 ? 'badge good' : 'badge warn'}
      title="How far it is behind its primary"
    >
      lag {duration(lagMs)}
    </span>
  )
}

/** What the pool of a server does now, as a bar whose full length is what it may have. */
const PoolUse = ({ pool }: { readonly pool: PoolView }): JSX.Element | null => {
  const { state, active, idle, waiting, max } = pool
  if (max === null) return <span class="pool quiet">{poolWords[state]}</span>
  const share = (connections: number): { width: string } => ({
    width: `${Math.min(100, (100 * connections) / max)}%`,
  })
  const text = `${active} active, ${idle} idle, ${waiting} waiting, at most ${max}`
  return (
    <span class="pool" title={`Pool ${poolWords[state]}: ${text}.\n${historyOf(pool)}`}>
      {waiting > 0 && <span class="badge warn">+{waiting} waiting</span>}
      <span class="pool-bar" role="img" aria-label={`Connections: ${text}`}>
        <span class="pool-active" style={share(active)} />
        <span class="pool-idle" style={share(idle)} />
      </span>
      <span class="pool-text" aria-hidden="true">
        {active}
        <span class="quiet">/{max}</span>
      </span>
    </span>
  )
}

const poolWords = {
  idle: 'not used yet',
  opening: 'opening',
  open: 'open',
  closed: 'closed',
} as const

const historyOf = ({ opened, checkouts, waits, connectFailures, ejections }: PoolView): string =>
  [
    `${count(opened, 'connection')} opened`,
    `lent ${count(checkouts, 'time')}`,
    `${count(waits, 'caller')} had to wait`,
    `${count(connectFailures, 'failure')} to connect`,
    `${count(ejections, 'time')} out of service`,
  ].join(', ')
