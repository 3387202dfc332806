import { BootstrapError, SchemaDiffersError, ShardNotEmptyError } from '../../errors.js'
import type { SchemaFlavour } from '../../schema/snapshot.js'
import { shardNamed } from '../../scopes/scopes.js'
import type { Runtime } from '../runtime.js'
import type { Shard } from '../shard.js'
import { copySchema } from './copy.js'
import { compareShards } from './diff.js'
import { readEverything, readSchema } from './read.js'
import { pendingMigrations, runMigrationsOn } from './shard-migrations.js'
import { UnshardedTables } from './unsharded-tables.js'

/** What a bootstrap is doing. */
export type BootstrapStep = 'check' | 'migrations' | 'copy' | 'verify'

/** How a shard is made. */
export interface BootstrapOptions {
  /**
   * The shard that it is to be like. Default: the first shard of the same engine that shares a group
   * with it; if there is none, the first of the same engine.
   */
  readonly from?: string
  /**
   * `migrations` (default): runs all migrations that are for it, from the first. `copy`: copies the
   * schema of the reference, and the rows of its version table.
   */
  readonly via?: 'migrations' | 'copy'
  /** Is told what is done next. */
  readonly onStep?: (step: BootstrapStep) => void
}

/** How a shard was made. */
export interface BootstrapReport {
  readonly shard: string
  readonly via: 'migrations' | 'copy'
  /** The shard whose schema it has; undefined if there was none to compare it with. */
  readonly reference: string | undefined
  /** The tables that it has now, without TypeORM's own. */
  readonly tables: readonly string[]
  /** Names of the migrations that its version table has now. */
  readonly migrations: readonly string[]
}

/**
 * Brings an empty database to the version of its group, and verifies that.
 *
 * @throws BootstrapError, ShardNotEmptyError before anything is made
 * @throws SchemaDiffersError if the shard that was made differs from the reference
 */
export const bootstrapShard = async (
  runtime: Runtime,
  name: string,
  { from, via = 'migrations', onStep = () => undefined }: BootstrapOptions,
): Promise<BootstrapReport> => {
  const shard = runtime.shard(shardNamed(runtime.store.current, name).name)
  onStep('check')
  const reference = referenceOf(runtime, shard, from)
  checkPossible(shard, reference, via)
  await checkServers(shard, reference)
  if (via === 'migrations' && reference !== undefined) await checkVersion(shard, reference)
  onStep(via)
  const migrations =
    via === 'copy' && reference !== undefined
      ? (await copySchema(reference, shard)).migrations
      : await runMigrationsOn(shard)
  onStep('verify')
  const tables = await verified(runtime, shard, reference)
  return { shard: name, via, reference: reference?.name, tables, migrations }
}

const referenceOf = (
  runtime: Runtime,
  shard: Shard,
  from: string | undefined,
): Shard | undefined => {
  const { shardNames, groups } = runtime.store.current
  if (from !== undefined) return runtime.shard(shardNamed(runtime.store.current, from).name)
  const alike = shardNames
    .map((name) => runtime.shard(name))
    .filter((other) => other !== shard && other.engine === shard.engine)
  const company = [...groups.values()].filter((members) => members.includes(shard.name)).flat()
  return alike.find((other) => company.includes(other.name)) ?? alike[0]
}

const refuse = (shard: Shard, obstacle: string, remedy: string): never => {
  throw new BootstrapError(shard.name, [obstacle], remedy)
}

const checkPossible = (
  shard: Shard,
  reference: Shard | undefined,
  via: 'migrations' | 'copy',
): void => {
  if (shard.family === 'other')
    refuse(
      shard,
      'the schema of its engine cannot be read',
      'Make it with the tools of the database.',
    )
  if (reference === shard) refuse(shard, 'it is its own reference', 'Name another shard.')
  if (reference !== undefined && reference.family !== shard.family)
    refuseEngine(shard, shard.engine, reference, reference.engine)
  if (via === 'copy' && reference === undefined)
    refuse(shard, 'no other shard is of its engine', 'Make it with its migrations.')
  if (via === 'migrations' && shard.view.migrations.length === 0)
    refuse(
      shard,
      'the data source has no migrations',
      'Copy the schema of another shard: via: "copy" (--copy).',
    )
}

const refuseEngine = (shard: Shard, its: string, reference: Shard, theirs: string): void => {
  const obstacle = `it is ${its}, and "${reference.name}" is ${theirs}`
  refuse(shard, obstacle, 'Name a shard of the same engine.')
}

/** Looks whether the shard is empty, and the reference there and of the same flavour. */
const checkServers = async (shard: Shard, reference: Shard | undefined): Promise<void> => {
  const flavour = await checkEmpty(shard)
  if (reference === undefined) return
  const expected = await readSchema(reference)
  if (expected.flavour !== flavour) refuseEngine(shard, flavour, reference, expected.flavour)
}

/** Looks whether the reference has had what the shard would get. */
const checkVersion = async (shard: Shard, reference: Shard): Promise<void> => {
  const pending = await pendingMigrations(shard.runtime, [shard.name, reference.name])
  const of = ({ name }: Shard): readonly string[] =>
    pending.find((each) => each.shard === name)?.migrations ?? []
  const its = new Set(of(shard))
  const ahead = of(reference).filter((migration) => its.has(migration))
  if (ahead.length > 0)
    refuse(
      shard,
      `"${reference.name}" has not yet had ${ahead.join(', ')}`,
      'Migrate that first, copy its schema (via: "copy", --copy), or name another shard (from, --from).',
    )
}

/** The flavour of an empty database. */
const checkEmpty = async (shard: Shard): Promise<SchemaFlavour> => {
  const { flavour, tables, enums, sequences } = await readEverything(shard)
  const content = [
    ...tables.map(({ type, name }) => `${type} ${name}`),
    ...enums.map(({ name }) => `enum ${name}`),
    ...sequences.map(({ name }) => `sequence ${name}`),
  ]
  if (content.length > 0) throw new ShardNotEmptyError(shard.name, content)
  return flavour
}

/** The names of the shard's tables, which are as the reference's. */
const verified = async (
  runtime: Runtime,
  shard: Shard,
  reference: Shard | undefined,
): Promise<readonly string[]> => {
  const schema = await readSchema(shard)
  const expected = reference && (await readSchema(reference))
  if (reference !== undefined && expected !== undefined) {
    const differences = compareShards(
      new UnshardedTables(runtime),
      { shard: reference.name, schema: expected },
      { shard: shard.name, schema },
    )
    if (differences.length > 0)
      throw new SchemaDiffersError(
        shard.name,
        reference.name,
        differences.map(({ text }) => text),
      )
  }
  return schema.tables.map(({ name }) => name)
}
