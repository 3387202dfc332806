import {
  Brackets,
  type EntityMetadata,
  type FindManyOptions,
  type ObjectLiteral,
  type Repository,
  type SelectQueryBuilder,
} from 'typeorm'
import { bindingOf } from './binding.js'
import { assign } from './internals.js'
import { builder } from './settle.js'

/** What {@link inBatches} finds, and how much at a time. */
export interface BatchOptions<E> extends Pick<
  FindManyOptions<E>,
  'where' | 'relations' | 'withDeleted' | 'loadEagerRelations' | 'relationLoadStrategy' | 'comment'
> {
  /** The most entities of one batch. Default: 1000. */
  readonly size?: number
}

const alias = 'entity'

/**
 * Finds the entities of a repository a batch at a time, by ascending primary key, each batch by a query of
 * its own. All come from the shard on which `inBatches` was called, wherever they are consumed, and
 * go by the role rules there. Rows that are inserted or change their key meanwhile may be missed.
 *
 * @returns the batches, none of them empty
 * @throws RangeError at once, if `size` is not a positive whole number
 */
export const inBatches = <E extends ObjectLiteral>(
  repository: Repository<E>,
  options: BatchOptions<E> = {},
): AsyncGenerator<E[], void, void> => {
  const { size = 1000, ...find } = options
  if (!Number.isSafeInteger(size) || size < 1)
    throw new RangeError(`inBatches: size must be a positive whole number, not ${String(size)}.`)
  const query = repository.createQueryBuilder(alias)
  stayHere(query, repository.metadata)
  return batches(query, repository.metadata, find, size)
}

/** Binds a builder that would go where it runs to where it is made. */
const stayHere = (query: SelectQueryBuilder<any>, metadata: EntityMetadata): void => {
  const own = builder(query)
  const binding = bindingOf(own.dataSource)
  if (binding === undefined || own.queryRunner !== undefined) return
  const { shard, frame, by } = binding.runtime.target(binding, metadata)
  assign(own, { dataSource: shard.boundIn(frame, by) })
}

async function* batches<E extends ObjectLiteral>(
  query: SelectQueryBuilder<E>,
  { primaryColumns }: EntityMetadata,
  find: FindManyOptions<E>,
  take: number,
): AsyncGenerator<E[], void, void> {
  let last: E | undefined
  for (;;) {
    const page = query.clone().setFindOptions({ ...find, take })
    for (const { propertyPath } of primaryColumns) page.addOrderBy(`${alias}.${propertyPath}`)
    if (last !== undefined) page.andWhere(after(last, primaryColumns))
    const entities = await page.getMany()
    if (entities.length > 0) yield entities
    if (entities.length < take) return
    last = entities.at(-1)
  }
}

/** The rows whose key is behind an entity's: greater in its first column that differs. */
const after = (entity: ObjectLiteral, columns: EntityMetadata['primaryColumns']): Brackets => {
  const values = Object.fromEntries(
    columns.map((column, index) => [`octopus_${index}`, column.getEntityValue(entity, true)]),
  )
  const compared = (index: number, operator: '=' | '>'): string =>
    `${alias}.${columns[index]?.propertyPath} ${operator} :octopus_${index}`
  const alternatives = columns.map((_, index) =>
    [...columns.keys()]
      .slice(0, index + 1)
      .map((at) => compared(at, at === index ? '>' : '='))
      .join(' AND '),
  )
  return new Brackets((where) =>
    where.where(alternatives.map((each) => `(${each})`).join(' OR '), values),
  )
}
