/** Which server's words a snapshot is written in. Only snapshots of one flavour can be compared. */
export type SchemaFlavour = 'mysql' | 'mariadb' | 'postgres' | 'sqlite'

/** A column as its server spells it. */
export interface ColumnSnapshot {
  readonly name: string
  readonly type: string
  readonly isNullable: boolean
  /** The default as an expression; undefined for none, which is NULL. */
  readonly default: string | undefined
  /** What else gives it values: `auto_increment`, an identity, a generating expression, `on update`. */
  readonly generation: string | undefined
  /** Undefined where the type has none. */
  readonly collation: string | undefined
  readonly comment: string | undefined
}

/** What belongs to a table and has a name: an index, a key, a check, a trigger. */
export interface TablePart {
  readonly name: string
  /** Whether the server made the name up, so that it says nothing. */
  readonly isNamedByServer: boolean
  /** The columns that it is about, by name. */
  readonly columns: readonly string[]
  /** All of it but its name and method, as the server prints it. */
  readonly definition: string
}

/** What an index guarantees. MySQL and MariaDB know no difference between `constraint` and `index`. */
export type Uniqueness = 'primary' | 'constraint' | 'index' | 'none'

/** An index, or a constraint that is kept by one. */
export interface IndexSnapshot extends TablePart {
  readonly uniqueness: Uniqueness
  /** `btree`, `hash`, `gin` … */
  readonly method: string
}

/** A foreign key. */
export interface ForeignKeySnapshot extends TablePart {
  readonly referencedTable: string
}

/** A table or a view, under its name; with the schema's before it where that is not the shard's own. */
export interface TableSnapshot {
  readonly name: string
  readonly type: 'table' | 'view'
  /** The storage engine; in PostgreSQL the access method, and `unlogged`. */
  readonly engine: string | undefined
  readonly collation: string | undefined
  /** Further settings, as the server prints them. */
  readonly options: string | undefined
  readonly comment: string | undefined
  /** The query of a view. */
  readonly definition: string | undefined
  readonly columns: readonly ColumnSnapshot[]
  readonly indexes: readonly IndexSnapshot[]
  readonly foreignKeys: readonly ForeignKeySnapshot[]
  readonly checks: readonly TablePart[]
  readonly triggers: readonly TablePart[]
}

/** What a schema has beside tables: an enum type with its values, a sequence with its settings. */
export interface SchemaObject {
  readonly name: string
  readonly definition: string
}

/** The schema of one database at one moment: plain data. */
export interface SchemaSnapshot {
  readonly flavour: SchemaFlavour
  /** The database's own collation, which new tables or columns get. */
  readonly collation: string | undefined
  readonly tables: readonly TableSnapshot[]
  readonly enums: readonly SchemaObject[]
  /** Sequences that belong to no column. */
  readonly sequences: readonly SchemaObject[]
}

/** Freezes plain data, at every depth. */
export const frozen = <T>(data: T): T => {
  if (typeof data !== 'object' || data === null || Object.isFrozen(data)) return data
  for (const value of Object.values(data)) frozen(value)
  return Object.freeze(data)
}
