import type { DataSource } from 'typeorm'
import { ConnectError } from '../errors.js'
import type { Connector, RawConnection } from '../pool/lease.js'
import type { Endpoint } from '../topology/snapshot.js'
import {
  type Driver,
  type DriverAbilities,
  DriverFactory,
  type PooledDriver,
  assign,
  familyOf,
  overlayOf,
} from './internals.js'

/** TypeORM options of one server, flat. */
export type ConnectionOptions = Readonly<Record<string, unknown>>

/** A TypeORM driver for one server of a shard, which reports to the shard's view. */
export const createDriver = (view: DataSource, options: ConnectionOptions): Driver => {
  const source = overlayOf(view)
  Object.defineProperty(source, 'options', { value: options })
  const driver = new DriverFactory().create(source)
  setDriverDataSource(driver, view)
  return driver
}

/** Points a driver at the data source whose logger, metadata and schema builder it uses. */
export const setDriverDataSource = (driver: Driver, dataSource: DataSource): void => {
  assign(driver as Driver & { dataSource: DataSource }, { dataSource })
}

/** Both drivers open 10 connections by default. */
const defaultPoolSize = 10

const sizeOption = (options: ConnectionOptions): number => {
  const extra = options['extra'] as Record<string, unknown> | undefined
  const size = extra?.['connectionLimit'] ?? extra?.['max'] ?? options['poolSize']
  return typeof size === 'number' && size > 0 ? size : defaultPoolSize
}

const mysqlConnection = (taken: unknown): RawConnection => {
  const connection = taken as { release(): void }
  return { connection, release: () => connection.release() }
}

// One promise on the way, not the two of an asynchronous function.
const acquireMysql = (driver: PooledDriver, isReader: boolean): Promise<RawConnection> =>
  (isReader ? driver.obtainSlaveConnection() : driver.obtainMasterConnection()).then(
    mysqlConnection,
  )

const acquirePostgres = async (driver: PooledDriver): Promise<RawConnection> => {
  const [connection, release] = (await driver.obtainMasterConnection()) as [
    unknown,
    (error?: unknown) => void,
  ]
  return { connection, release }
}

/** How a pool reaches the server of a driver. SQLite has one connection and lends none. */
export const connectorOf = (
  driver: Driver,
  options: ConnectionOptions,
  lifecycle: { readonly open: () => Promise<void>; readonly close: () => Promise<void> },
): Connector => {
  const family = familyOf(driver.options.type)
  return {
    ...lifecycle,
    max: family === 'sqlite' ? Number.POSITIVE_INFINITY : sizeOption(options),
    acquire: () =>
      family === 'postgres'
        ? acquirePostgres(driver as PooledDriver)
        : acquireMysql(driver as PooledDriver, false),
  }
}

/** What a driver learnt of its server's version that changes the SQL TypeORM builds. */
const abilitiesOf = (driver: Driver): Record<string, boolean> => {
  const { cteCapabilities, isGeneratedColumnsSupported } = driver as Driver & DriverAbilities
  return {
    'common table expressions': cteCapabilities?.enabled ?? false,
    'generated columns': isGeneratedColumnsSupported ?? false,
  }
}

/**
 * Checks that a replica understands what is built for its primary.
 *
 * @throws ConnectError `version-mismatch` if it lacks an ability that the primary has
 */
export const checkAbilities = (primary: Driver, replica: Driver, endpoint: Endpoint): void => {
  const able = abilitiesOf(replica)
  const lacking = Object.entries(abilitiesOf(primary))
    .filter(([ability, has]) => has && able[ability] !== true)
    .map(([ability]) => ability)
  if (lacking.length === 0) return
  const versions = [primary, replica].map(({ version }) => version ?? 'unknown')
  throw new ConnectError(
    endpoint.id,
    'version-mismatch',
    `version ${versions[1]} lacks ${lacking.join(' and ')} of its primary's ${versions[0]}; upgrade the replica, or take it out of the shard.`,
  )
}

/** Gives a primary that is not connected what a connected replica learnt of the version. */
export const copyAbilities = (from: Driver, to: Driver): void => {
  const { version, cteCapabilities, isGeneratedColumnsSupported, uuidColumnTypeSuported } =
    from as Driver & DriverAbilities
  const target = to as Driver & DriverAbilities
  if (version !== undefined) target.version = version
  if (cteCapabilities && target.cteCapabilities)
    target.cteCapabilities.enabled = cteCapabilities.enabled
  if (isGeneratedColumnsSupported !== undefined)
    target.isGeneratedColumnsSupported = isGeneratedColumnsSupported
  if (uuidColumnTypeSuported !== undefined) target.uuidColumnTypeSuported = uuidColumnTypeSuported
}
