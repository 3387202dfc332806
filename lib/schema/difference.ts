/** Kinds that say something about a thing. */
const aspectKinds = [
  'type',
  'nullability',
  'default',
  'generation',
  'collation',
  'engine',
  'options',
  'comment',
] as const

/** What two schemas can differ in. */
export const differenceKinds = [
  'table',
  'view',
  'column',
  ...aspectKinds,
  'primary key',
  'unique',
  'index',
  'foreign key',
  'check',
  'trigger',
  'enum',
  'sequence',
] as const

/** What a difference is about: a thing, or what is said about one. */
export type DifferenceKind = (typeof differenceKinds)[number]

/** One thing in which a shard's schema is not as the reference's. */
export interface SchemaDifference {
  readonly kind: DifferenceKind
  /** The table or view it is in; undefined for what belongs to none. */
  readonly table: string | undefined
  /** Of the column, index, key …; the table's own for what is about the whole table. */
  readonly name: string
  /** What the reference has there; undefined for nothing. */
  readonly reference: string | undefined
  /** What the shard has there; undefined for nothing. */
  readonly actual: string | undefined
  /** What is different for no other reason: the indexes of a column that is missing, for one. */
  readonly implied: readonly string[]
  /** All of this in one sentence. */
  readonly text: string
}

/** A difference without its sentence, and with what explains it. */
export interface RawDifference extends Omit<SchemaDifference, 'implied' | 'text'> {
  /** Keys of the differences any of which would explain this one. */
  readonly because?: readonly string[]
}

/** What others name a difference by that it explains. */
export const keyOf = ({
  kind,
  table,
  name,
}: Pick<SchemaDifference, 'kind' | 'table' | 'name'>): string => JSON.stringify([kind, table, name])

const aspects: ReadonlySet<DifferenceKind> = new Set(aspectKinds)

const placeOf = ({ table, name }: RawDifference): string =>
  table === undefined || table === name ? name : `${table}.${name}`

/** Names the thing, without what it is made of: `index by_name of users`. */
const titleOf = ({ kind, table, name }: RawDifference): string =>
  table === undefined || table === name ? `${kind} ${name}` : `${kind} ${name} of ${table}`

const sentence = (difference: RawDifference): string => {
  const { kind, reference, actual } = difference
  if (aspects.has(kind))
    return `${placeOf(difference)}: the ${kind} is ${actual ?? 'none'}, in the reference ${reference ?? 'none'}`
  if (actual === undefined) return `${titleOf(difference)} is missing: ${reference}`
  if (reference === undefined) return `${titleOf(difference)} is not in the reference: ${actual}`
  return `${titleOf(difference)} is ${actual}, in the reference ${reference}`
}

/** Puts what follows from another difference under that one, so that each cause is told once. */
export const withoutEchoes = (raw: readonly RawDifference[]): SchemaDifference[] => {
  const known = new Map(raw.map((difference) => [keyOf(difference), difference]))
  const causeOf = ({ because = [] }: RawDifference): RawDifference | undefined => {
    const key = because.find((each) => known.has(each))
    return key === undefined ? undefined : known.get(key)
  }
  /** What explains a difference, and what explains that. */
  const rootOf = (difference: RawDifference): RawDifference => {
    const cause = causeOf(difference)
    return cause === undefined ? difference : rootOf(cause)
  }
  const implied = new Map<RawDifference, string[]>(raw.map((difference) => [difference, []]))
  for (const difference of raw)
    if (causeOf(difference) !== undefined)
      implied.get(rootOf(difference))?.push(titleOf(difference))
  return raw
    .filter((difference) => causeOf(difference) === undefined)
    .map((difference) => {
      const { because: _because, ...facts } = difference
      const echoes = implied.get(difference) ?? []
      const also = echoes.length > 0 ? `; with it ${echoes.join(', ')}` : ''
      return { ...facts, implied: echoes, text: `${sentence(difference)}${also}` }
    })
}
