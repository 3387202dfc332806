import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { ConnectionProxy } from '../../index.js'
import { type Session, UsageError } from '../frame.js'

/** Where a migration is to run, and where its file is to be. */
export interface CreateOptions {
  readonly shard?: readonly string[]
  readonly group?: readonly string[]
  readonly dir: string
  readonly js?: boolean
}

const literal = (names: readonly string[]): string =>
  `[${names.map((name) => `'${name}'`).join(', ')}]`

/** `{ shards: ['brazil'] }`; undefined if nothing is named. */
const targetsText = ({ shard, group }: CreateOptions): string | undefined => {
  const parts = [
    ...(shard === undefined ? [] : [`shards: ${literal(shard)}`]),
    ...(group === undefined ? [] : [`groups: ${literal(group)}`]),
  ]
  return parts.length === 0 ? undefined : `{ ${parts.join(', ')} }`
}

const typescript = (
  className: string,
  targets: string | undefined,
): string => `import type { MigrationInterface, QueryRunner } from 'typeorm'
${
  targets === undefined
    ? ''
    : `import { MigrateOn } from 'typeorm-octopus'

@MigrateOn(${targets})`
}
export class ${className} implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {}

  async down(queryRunner: QueryRunner): Promise<void> {}
}
`

const javascript = (
  className: string,
  targets: string | undefined,
): string => `/** @implements {import('typeorm').MigrationInterface} */
export class ${className} {${
  targets === undefined
    ? ''
    : `
  static migrateOn = ${targets}
`
}
  /** @param {import('typeorm').QueryRunner} queryRunner */
  async up(queryRunner) {}

  /** @param {import('typeorm').QueryRunner} queryRunner */
  async down(queryRunner) {}
}
`

const classNameOf = (name: string, timestamp: number): string => {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
  const camel = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
  if (!/^\p{L}/u.test(camel))
    throw new UsageError(`"${name}" is no name for a migration: begin it with a letter.`)
  return `${camel}${timestamp}`
}

/** Checks what is named, where a data source is at hand. */
const checkTargets = ({ octopus }: ConnectionProxy, { shard = [], group = [] }: CreateOptions) => {
  const { shardNames, groups } = octopus
  for (const name of shard)
    if (!shardNames.includes(name))
      throw new UsageError(`Unknown shard "${name}"; configured shards: ${shardNames.join(', ')}.`)
  for (const name of group)
    if (!groups.has(name))
      throw new UsageError(
        `Unknown shard group "${name}"; configured groups: ${[...groups.keys()].join(', ') || 'none'}.`,
      )
}

/**
 * Writes the file of a new migration.
 *
 * @param now - the time in its name, in milliseconds
 * @returns its path, from the folder of the session
 */
export const createMigration = async (
  session: Session,
  name: string,
  options: CreateOptions,
  now = Date.now(),
): Promise<string> => {
  const className = classNameOf(name, now)
  if (session.hasDataSource) checkTargets(await session.loadDataSource(), options)
  const folder = resolve(session.cwd, options.dir)
  const isJavascript = options.js === true
  const file = join(folder, `${now}-${name}.${isJavascript ? 'js' : 'ts'}`)
  await mkdir(folder, { recursive: true })
  const text = (isJavascript ? javascript : typescript)(className, targetsText(options))
  // Not over a file that is there already.
  await writeFile(file, text, { flag: 'wx' })
  return relative(session.cwd, file)
}
