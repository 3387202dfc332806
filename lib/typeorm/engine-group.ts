import type { DataSource, EntityMetadata } from 'typeorm'
import { assign, buildMetadatas, overlayOf } from './internals.js'
import type { ConnectionOptions } from './drivers.js'

/** Options that are baked into entity metadata, and so tell engine groups apart. */
const groupingOptions = [
  'type',
  'schema',
  'entityPrefix',
  'namingStrategy',
  'metadataTableName',
] as const

/** Shards whose entities have the same metadata: same engine, schema, prefix and naming. */
export interface EngineGroup {
  /** The object that carries the group's metadata; views of its shards derive from it. */
  readonly holder: DataSource
  readonly options: ConnectionOptions
}

/** Sorts shards into engine groups. */
export class EngineGroups {
  readonly #groups: EngineGroup[] = []
  readonly #base: DataSource

  /** @param base - what views derive from; it carries the metadata of the default shard's group */
  constructor(base: DataSource, defaultOptions: ConnectionOptions) {
    this.#base = base
    this.#groups.push({ holder: base, options: defaultOptions })
  }

  /** The group of a shard with these options, if there is one. */
  find(options: ConnectionOptions): EngineGroup | undefined {
    return this.#groups.find((group) =>
      groupingOptions.every((key) => group.options[key] === options[key]),
    )
  }

  /** The group of a shard with these options. */
  of(options: ConnectionOptions): EngineGroup {
    const known = this.find(options)
    if (known !== undefined) return known
    const holder = overlayOf(this.#base)
    const { namingStrategy, metadataTableName } = options
    if (namingStrategy) Object.defineProperty(holder, 'namingStrategy', { value: namingStrategy })
    if (metadataTableName)
      Object.defineProperty(holder, 'metadataTableName', { value: metadataTableName })
    const group = { holder, options }
    this.#groups.push(group)
    return group
  }

  /** The groups beside the default shard's, which the DataSource does not build by itself. */
  get others(): readonly EngineGroup[] {
    return this.#groups.slice(1)
  }
}

/**
 * Builds a group's metadata with a view of one of its shards. Subscribers and migrations are made
 * once, by the wrapped DataSource.
 *
 * @param view - the view whose driver and options the metadata are for
 */
export const buildGroup = async (
  group: EngineGroup,
  view: DataSource,
  entities: DataSource['options']['entities'],
): Promise<readonly EntityMetadata[]> => {
  const builder = overlayOf(view)
  Object.defineProperty(builder, 'options', {
    value: { ...view.options, entities, subscribers: [], migrations: [] },
  })
  await buildMetadatas(builder)
  const { entityMetadatas, entityMetadatasMap } = builder
  assign(group.holder, { entityMetadatas, entityMetadatasMap })
  return entityMetadatas
}
