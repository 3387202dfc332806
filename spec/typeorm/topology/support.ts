import { expect } from 'chai'
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  PrimaryGeneratedColumn,
  type Repository,
} from 'typeorm'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../../lib/index.js'
import { until } from '../../support/until.js'

@Entity('entry')
export class Entry {
  @PrimaryGeneratedColumn() id!: number
  @Column() text!: string
}

/** A wrapped data source with the entity. */
export interface Wrapped {
  readonly source: DataSource
  readonly db: ConnectionProxy
  readonly entries: Repository<Entry>
}

/** Wraps a data source at `connection`, not initialised yet. */
export const wrap = (connection: object, options: OctopusOptions): Wrapped => {
  const source = new DataSource({ ...(connection as DataSourceOptions), entities: [Entry] })
  const db = octopus(source, options)
  return { source, db, entries: db.getRepository(Entry) }
}

/** What a promise is rejected with; undefined if it is not. */
export const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Ends a data source, whose connections must all have been given back. */
export const end = async (db: ConnectionProxy): Promise<void> => {
  const out = () => db.octopus.pools().filter(({ active }) => active > 0)
  await until(() => out().length === 0, { what: 'all leases to be given back' })
  expect(out()).to.deep.equal([])
  if (db.isInitialized) await db.destroy()
}
