/** The engines that scenarios run on. */
export type EngineName = 'mariadb' | 'postgres' | 'sqljs'

export type Row = Readonly<Record<string, unknown>>

/** One server or database of a bed, as seen from below TypeORM. */
export interface BedEndpoint {
  /** `s1`, or `s3/r1` for the first replica of shard s3. */
  readonly name: string
  readonly engine: EngineName
  /** Options by which a data source reaches it. */
  readonly connection: Readonly<Record<string, unknown>>
  /** Options by which a further data source reaches the same data. */
  readonly furtherConnection: Readonly<Record<string, unknown>>
  /** A place in its own statement log. */
  mark(): unknown
  /** What the application sent since `mark`, pauses left out. */
  since(mark: unknown, pauses?: readonly { from: unknown; to: unknown }[]): Promise<string[]>
  /** Runs SQL past the application: what it does is in no log. */
  sql(text: string): Promise<readonly Row[]>
  /** Makes the ids that this server generates from now on begin after `start`. */
  startIdsAt(tables: readonly string[], start: number): Promise<void>
  /** Deletes all rows, whatever refers to them. */
  empty(tables: readonly string[]): Promise<void>
  /** The connections that the application has open. */
  connections(): Promise<number>
}
