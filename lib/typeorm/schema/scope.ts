/** Which part of a database is a shard's schema. */
export interface SchemaScope {
  /** Schemas, or databases of MySQL, that the entities name beside the shard's own. */
  readonly others: readonly string[]
  /** The shard's own schema where its options name one; the connection's own otherwise. */
  readonly own: string | undefined
  /** Tables in which TypeORM keeps account of itself. */
  readonly bookkeeping: ReadonlySet<string>
}
