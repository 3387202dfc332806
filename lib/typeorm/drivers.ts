import type { DataSource } from 'typeorm'
import { ConnectError } from '../errors.js'
import type { Connector } from '../pool/lease.js'
import type { Endpoint } from '../topology/snapshot.js'
import {
  type DriverLifecycle,
  fileConnector,
  mysqlConnector,
  postgresConnector,
} from './connectors.js'
import {
  type Driver,
  type DriverAbilities,
  DriverFactory,
  assign,
  familyOf,
  type ServerDriver,
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

/** What drivers have that their interface does not tell. */
interface DriverParts extends Driver {
  pool?: unknown
  master?: unknown
  searchSchema?: string
}

/**
 * Takes a driver's own pool out of its hands: who opened it closes it, and the driver can connect anew
 * meanwhile. Its own `disconnect` would forget the new pool once the old one is closed.
 */
export const detachPool = (driver: Driver): void => {
  assign(driver as DriverParts, { pool: undefined, master: undefined })
}

/**
 * Lets a driver connect as another one would from now on. What it has learnt of its server's name and
 * version is learnt anew; the abilities that SQL is built by stay until then.
 */
export const reachAs = (driver: Driver, { options, database, schema }: Driver): void => {
  detachPool(driver)
  assign(driver as DriverParts, {
    options,
    database,
    schema,
    searchSchema: undefined,
    version: undefined,
  })
}

/** Points a driver at the data source whose logger, metadata and schema builder it uses. */
export const setDriverDataSource = (driver: Driver, dataSource: DataSource): void => {
  assign(driver as Driver & { dataSource: DataSource }, { dataSource })
}

/** Both drivers open 10 connections by default. */
const defaultPoolSize = 10

/** A driver's present options. */
export const optionsOf = (driver: Driver): ConnectionOptions =>
  driver.options as unknown as ConnectionOptions

/** The most connections that a driver's pool opens. */
export const poolSizeOf = (driver: Driver): number => sizeOption(optionsOf(driver))

/** The most connections that a driver's pool opens by these options. */
export const sizeOption = (options: ConnectionOptions): number => {
  const extra = options['extra'] as Record<string, unknown> | undefined
  const size = extra?.['connectionLimit'] ?? extra?.['max'] ?? options['poolSize']
  return typeof size === 'number' && size > 0 ? size : defaultPoolSize
}

/** How a pool reaches the server of a driver. SQLite has one connection and lends none. */
export const connectorOf = (
  driver: Driver,
  {
    extra,
    ...lifecycle
  }: Pick<DriverLifecycle, 'greet' | 'journal' | 'sockets' | 'start' | 'stop' | 'watch'> & {
    /** What the driver's own pool is told beside the options. */
    readonly extra: () => object | undefined
  },
): Connector => {
  const options = (): ConnectionOptions => ({ ...optionsOf(driver), extra: extra() })
  const family = familyOf(driver.options.type)
  const max = poolSizeOf(driver)
  if (family === 'mysql')
    return mysqlConnector(driver as ServerDriver, { ...lifecycle, max, options })
  if (family === 'postgres')
    return postgresConnector(driver as ServerDriver, { ...lifecycle, max, options })
  return fileConnector({ ...lifecycle, max, options })
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
