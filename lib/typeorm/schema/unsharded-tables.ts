import type { EntityMetadata } from 'typeorm'
import type { SchemaSnapshot } from '../../schema/snapshot.js'
import { type Pin, livesOn } from '../../router/unsharded.js'
import type { Runtime } from '../runtime.js'

/** Where an entity lives that is outside sharding; a table that joins two, with the one that owns it. */
const pinOf = ({ pins }: Runtime, metadata: EntityMetadata): Pin | undefined =>
  pins.of(metadata) ??
  pins.of(
    metadata.isJunction ? metadata.ownerColumns[0]?.referencedColumn?.entityMetadata : undefined,
  )

/** Whether an entity has its table on a shard. One outside sharding has it where it lives, and on the
 *  shards of its `allowShard`. */
export const hasTableOn = (runtime: Runtime, metadata: EntityMetadata, shard: string): boolean => {
  const pin = pinOf(runtime, metadata)
  return pin === undefined || livesOn(pin, shard)
}

/** The tables of the entities outside sharding. */
export class UnshardedTables {
  readonly #pins = new Map<string, Pin>()

  constructor(runtime: Runtime) {
    if (runtime.pins.isEmpty) return
    for (const { metadatas } of runtime.shards)
      for (const metadata of metadatas) {
        const pin = pinOf(runtime, metadata)
        if (pin === undefined) continue
        this.#pins.set(metadata.tableName, pin)
        this.#pins.set(metadata.tablePath, pin)
      }
  }

  /** A schema with only the tables that are to be on each of these shards. */
  commonTo(shards: readonly string[], schema: SchemaSnapshot): SchemaSnapshot {
    if (this.#pins.size === 0) return schema
    return {
      ...schema,
      tables: schema.tables.filter(({ name }) => {
        const pin = this.#pins.get(name)
        return pin === undefined || shards.every((shard) => livesOn(pin, shard))
      }),
    }
  }

  /** A schema without these tables. */
  without(schema: SchemaSnapshot): SchemaSnapshot {
    return { ...schema, tables: schema.tables.filter(({ name }) => !this.#pins.has(name)) }
  }
}
