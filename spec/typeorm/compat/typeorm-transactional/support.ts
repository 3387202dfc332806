import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  PrimaryGeneratedColumn,
  type Repository,
} from 'typeorm'
import {
  addTransactionalDataSource,
  deleteDataSourceByName,
  getDataSourceByName,
  type Propagation,
  runInTransaction,
} from 'typeorm-transactional'
import type { Bed } from '../../scenarios/bed.js'
import { type Scenario, scenario } from '../../scenarios/scenario.js'

/** Gives the bed's data source to typeorm-transactional, once. */
export const join = ({ db }: Bed): void => {
  if (getDataSourceByName('default') === db) return
  deleteDataSourceByName('default')
  addTransactionalDataSource(db)
}

/** A scenario on a data source that typeorm-transactional knows. */
export const rule = (
  behaviour: string,
  run: Scenario['run'],
  on: Scenario['on'] = () => true,
): Scenario =>
  scenario(
    3,
    behaviour,
    (bed) => {
      join(bed)
      return run(bed)
    },
    on,
  )

/** Not for SQLite, whose one connection all transactions of a database share. */
export const onServers: Scenario['on'] = ({ s1 }) => s1 !== 'sqljs'

/** What `work` rejects with or throws; undefined if it succeeds. */
export const failure = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
    return undefined
  } catch (error) {
    return error
  }
}

/** What is awaited in a transaction of typeorm-transactional. */
export const transactional = <T>(
  work: () => Promise<T>,
  options: Parameters<typeof runInTransaction>[1] = {},
): Promise<T> => runInTransaction(work, options) as Promise<T>

/** As {@link transactional}, with a propagation. */
export const propagating = <T>(propagation: Propagation, work: () => Promise<T>): Promise<T> =>
  transactional(work, { propagation })

/** An author, for a second data source: the entities of the bed are wired to the bed's. */
@Entity('author')
export class Hand {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

/** Does `work` with TypeORM's own data source over the server of s1, known by the name `plain`. */
export const withPlain = async <T>(
  bed: Bed,
  work: (authors: Repository<Hand>) => Promise<T>,
): Promise<T> => {
  const options: object = { ...bed.endpoint('s1').connection, entities: [Hand] }
  const plain = new DataSource(options as DataSourceOptions)
  bed.share('s1')
  await plain.initialize()
  addTransactionalDataSource({ name: 'plain', dataSource: plain })
  try {
    return await work(plain.getRepository(Hand))
  } finally {
    deleteDataSourceByName('plain')
    await plain.destroy()
  }
}
