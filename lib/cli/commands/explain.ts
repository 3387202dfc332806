import { InvalidArgumentError, Option } from 'commander'
import type { ConnectionProxy, ExplainOperation, Explanation } from '../../index.js'
import { type AddCommand, type Paper, UsageError } from '../frame.js'

const operations = [
  'find',
  'count',
  'lock',
  'save',
  'remove',
  'insert',
  'update',
  'delete',
  'query',
  'transaction',
] as const satisfies readonly ExplainOperation[]

const operationOf = (text: string): ExplainOperation => {
  const operation = operations.find((name) => name === text)
  if (operation !== undefined) return operation
  throw new InvalidArgumentError(`It is one of ${operations.join(', ')}.`)
}

interface ExplainOptions {
  readonly sql?: string
  readonly shard?: string
  readonly scope?: 'primary' | 'replica'
}

/** The name under which TypeORM knows an entity. */
const entityNamed = (db: ConnectionProxy, name: string): string => {
  if (db.hasMetadata(name)) return name
  const known = db.entityMetadatas.map((metadata) => metadata.name).sort()
  throw new UsageError(`Unknown entity "${name}"; the data source has ${known.join(', ')}.`)
}

/** Runs `work` in the scopes that the options ask for. */
const inScopes = <R>(db: ConnectionProxy, { shard, scope }: ExplainOptions, work: () => R): R => {
  const inRole = (): R => {
    if (scope === undefined) return work()
    return scope === 'replica' ? db.usingReplica(work) : db.usingPrimary(work)
  }
  return shard === undefined ? inRole() : db.using(shard, inRole)
}

const write = (paper: Paper, { text, report }: Explanation): void => {
  paper.line(text, 'strong')
  // Its first line is the text; an arrow marks the rule that decided.
  for (const line of report.split('\n').slice(1))
    paper.line(line, line.startsWith('  →') ? 'good' : undefined)
}

/** `octopus explain`: where an operation would go, and why, without a server. */
export const addExplain: AddCommand = (program, frame) => {
  program
    .command('explain')
    .description('where an operation on an entity, or raw SQL, would go, and why; asks no server')
    .argument('[entity]', 'name of an entity')
    .argument('[operation]', operations.join(', '), operationOf, 'find')
    .option('--sql <statement>', 'raw SQL, in the place of an entity')
    .option('--shard <name>', 'as inside using(shard, …)')
    .addOption(
      new Option('--scope <role>', 'as inside usingReplica(…) or usingPrimary(…)').choices([
        'replica',
        'primary',
      ]),
    )
    .action(
      frame.action(
        async (
          session,
          entity: string | undefined,
          operation: ExplainOperation,
          options: ExplainOptions,
        ) => {
          const { sql } = options
          if ((entity === undefined) === (sql === undefined))
            throw new UsageError('Name an entity, or give SQL by --sql.')
          const db = await session.describeDataSource()
          const explanation = inScopes(db, options, () =>
            sql === undefined
              ? db.octopus.explain(entityNamed(db, entity ?? ''), operation)
              : db.octopus.explain({ sql }),
          )
          session.output.show(explanation, (paper) => write(paper, explanation))
        },
      ),
    )
}
