import type { EntityMetadata } from 'typeorm'
import type { SchemaSnapshot, TableSnapshot } from '../../schema/snapshot.js'
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

  /** A schema with only what is to be on each of these shards. */
  commonTo(shards: readonly string[], schema: SchemaSnapshot): SchemaSnapshot {
    return this.#keeping(schema, (pin) => shards.every((shard) => livesOn(pin, shard)))
  }

  /** A schema without these tables. */
  without(schema: SchemaSnapshot): SchemaSnapshot {
    return this.#keeping(schema, () => false)
  }

  #keeping(schema: SchemaSnapshot, isKept: (pin: Pin) => boolean): SchemaSnapshot {
    if (this.#pins.size === 0) return schema
    const isHere = (table: string): boolean => {
      const pin = this.#pins.get(table)
      return pin === undefined || isKept(pin)
    }
    const tables = schema.tables.filter(({ name }) => isHere(name))
    return { ...schema, tables: tables.map((table) => withoutKeysTo(table, isHere)) }
  }
}

/** A table without the foreign keys to tables that are not there, and the indexes that MySQL makes
 *  for foreign keys under the same names. */
const withoutKeysTo = (table: TableSnapshot, isHere: (table: string) => boolean): TableSnapshot => {
  const gone = table.foreignKeys.filter(({ referencedTable }) => !isHere(referencedTable))
  if (gone.length === 0) return table
  const names = new Set(gone.map(({ name }) => name))
  return {
    ...table,
    foreignKeys: table.foreignKeys.filter((key) => !gone.includes(key)),
    indexes: table.indexes.filter(({ name }) => !names.has(name)),
  }
}
