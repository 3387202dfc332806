import type { DataSourceOptions } from 'typeorm'
import type { ConnectionProxy, OctopusOptions } from '../../lib/index.js'
import type { EngineName, Row as Cells } from '../support/engines/endpoint.js'
import type { ServerName } from './row.js'

/** How a further data source over the same servers differs from the world's own. */
export interface WrapSettings {
  /** Options of octopus() beside the servers. */
  readonly octopus?: Partial<OctopusOptions>
  /** Options of the DataSource beside its server. */
  readonly dataSource?: Partial<DataSourceOptions>
  /** The shard whose primary is wrapped, with its replicas; master by default. */
  readonly defaultShard?: 'master' | 'russia'
  /** The other shards; all by default. */
  readonly shards?: readonly ('master' | 'brazil' | 'canada' | 'russia')[]
}

/** What a program of the catalogue works with. Every table of every server is empty when it starts. */
export interface World {
  readonly engine: EngineName
  /** The wrapped data source: all shards, group `americas` (brazil, canada), group `all`. */
  readonly db: ConnectionProxy
  /** A further data source over the same servers, initialized; it is destroyed after the row. */
  wrap(settings: WrapSettings): Promise<ConnectionProxy>
  /** Runs SQL on one server past the application: it is in no log. Takes a primary's name. */
  sql(server: ServerName, text: string): Promise<readonly Cells[]>
  /** Waits until the replicas have what their primary has. */
  replicate(): Promise<void>
  /** Does `work`, whose statements the row does not count: setting the stage, looking afterwards. */
  aside<T>(work: () => T | Promise<T>): Promise<T>
}
