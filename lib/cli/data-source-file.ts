import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { InstanceChecker } from 'typeorm'
import { importOrRequireFile } from 'typeorm/util/ImportUtils.js'
import { type ConnectionProxy, OctopusError } from '../index.js'
import { UsageError } from './exit.js'

const isDataSource = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && InstanceChecker.isDataSource(value)

// Another copy of the package may have wrapped it, so what it can do counts, not its class.
const isWrapped = (value: object): value is ConnectionProxy =>
  typeof (value as Partial<ConnectionProxy>).octopus?.pools === 'function'

const isClass = (value: Function): boolean =>
  /^class\b/.test(Function.prototype.toString.call(value))

/** What a module's default export is in the end: it may be a function that makes the data source. */
const made = async (value: unknown): Promise<unknown> =>
  typeof value === 'function' && !isClass(value) ? ((await value()) as unknown) : await value

/** Names and values of what a module exports. A CommonJS module may be the data source itself. */
const exportsOf = async (file: string): Promise<ReadonlyMap<string, unknown>> => {
  const [exported] = (await importOrRequireFile(file)) as [unknown, string]
  if (isDataSource(exported) || typeof exported === 'function')
    return new Map([['module.exports', await made(exported)]])
  if (typeof exported !== 'object' || exported === null) return new Map()
  const found = new Map<string, unknown>()
  for (const [name, value] of Object.entries(exported))
    found.set(name, name === 'default' ? await made(value) : await value)
  return found
}

/** What to do where a file of TypeScript cannot be loaded. */
export const loaderHint = (file: string): string =>
  /\.[cm]?tsx?$/.test(file)
    ? ` Node.js cannot read it by itself: name the compiled file, or load TypeScript into the process, such as by NODE_OPTIONS="--import tsx".`
    : ''

const names = (found: ReadonlyMap<string, object>): string => [...found.keys()].join(', ')

/** The one wrapped data source among what a module exports, under whatever names. */
const wrappedAmong = (found: ReadonlyMap<string, unknown>, file: string): ConnectionProxy => {
  const sources = new Map(
    [...found].filter((entry): entry is [string, object] => isDataSource(entry[1])),
  )
  const wrapped = new Map(
    [...sources].filter((entry): entry is [string, ConnectionProxy] => isWrapped(entry[1])),
  )
  const [one, ...others] = new Set(wrapped.values())
  if (one === undefined)
    throw new UsageError(
      sources.size > 0
        ? `${file} exports a DataSource that is not wrapped (${names(sources)}): export what octopus(dataSource, …) returns.`
        : `${file} exports no data source: export what octopus(dataSource, …) returns, by any name, as a promise, or from a function as the default export.`,
    )
  if (others.length > 0)
    throw new UsageError(
      `${file} exports several wrapped data sources (${names(wrapped)}): export one.`,
    )
  return one
}

/**
 * Loads a module, ESM or CommonJS, and yields the wrapped data source that it exports: by any name, as
 * it is or as a promise of it, or made by a function that is the default export. It is not initialised.
 *
 * @param file - its path, from `cwd`
 * @throws UsageError if there is no such file, or not exactly one wrapped data source in it
 */
export const loadDataSourceFile = async (file: string, cwd: string): Promise<ConnectionProxy> => {
  const path = resolve(cwd, file)
  if (!existsSync(path)) throw new UsageError(`${file}: there is no such data source file.`)
  let found: ReadonlyMap<string, unknown>
  try {
    found = await exportsOf(path)
  } catch (error) {
    // A wrong configuration is told as it is: it names its places itself.
    if (error instanceof OctopusError) throw error
    const said = error instanceof Error ? error.message : String(error)
    throw new Error(`${file} could not be loaded: ${said}${loaderHint(file)}`, { cause: error })
  }
  return wrappedAmong(found, file)
}
