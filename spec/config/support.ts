import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../../lib/errors.js'
import { resolveConfig } from '../../lib/config/index.js'
import type { ResolvedConfig, ResolvedEndpoint } from '../../lib/config/index.js'

/** The options of a DataSource that most specs wrap. */
export const main = {
  type: 'mysql',
  host: 'main',
  username: 'app',
  password: 'secret-of-main',
  database: 'shop',
} as const

/** The error that work throws, which must be a ConfigError. */
export const configErrorOf = (work: () => unknown): ConfigError => {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('expected a ConfigError, and nothing was thrown')
}

/** What is wrong with options, as `path: message`. Options are unknown, as from JavaScript. */
export const problemsOf = (
  options: unknown,
  defaults: Readonly<Record<string, unknown>> = main,
): string[] =>
  configErrorOf(() =>
    resolveConfig(options as Parameters<typeof resolveConfig>[0], defaults),
  ).problems.map(({ path, message }) => `${path}: ${message}`)

/** Resolves options whose types do not matter. */
export const resolved = (
  options: unknown,
  defaults: Readonly<Record<string, unknown>> = main,
): ResolvedConfig => resolveConfig(options as Parameters<typeof resolveConfig>[0], defaults)

/** The primary's connection options of a shard other than the default one. */
export const connectionOf = (
  config: ResolvedConfig,
  shard: string,
): ResolvedEndpoint['connection'] => {
  const found = config.shards.find(({ name }) => name === shard)
  if (found === undefined) throw new Error(`no shard ${shard}`)
  return found.primary.connection
}

/** Runs work with the path of a file that holds a text, and removes the file. */
export const withFile = <T>(text: string, work: (path: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'octopus-config-'))
  const path = join(folder, 'ormconfig.yml')
  writeFileSync(path, text)
  try {
    return work(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs work with environment variables set, and puts back what they were. */
export const withVariables = <T>(variables: Record<string, string>, work: () => T): T => {
  const before = { ...process.env }
  Object.assign(process.env, variables)
  try {
    return work()
  } finally {
    for (const name of Object.keys(variables))
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
  }
}
