import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { importOrRequireFile } from 'typeorm/util/ImportUtils.js'
import type { Seed, SeedOptions } from '../index.js'
import { loaderHint } from './data-source-file.js'
import { UsageError } from './exit.js'

/** What a file of seeds has. */
export interface SeedFile {
  readonly seeds: readonly Seed[]
  /** Where they are to be run, if it says so: its export `targets`. */
  readonly targets: Pick<SeedOptions, 'all' | 'shards' | 'groups'> | undefined
}

const isSeed = (value: unknown): value is Seed => typeof value === 'function'

/** The default export, a function or several; else every function that is exported, by name. */
const seedsIn = (exported: Readonly<Record<string, unknown>>): Seed[] => {
  const byDefault = [exported['default']].flat().filter(isSeed)
  if (byDefault.length > 0) return byDefault
  return Object.keys(exported)
    .toSorted()
    .map((name) => exported[name])
    .filter(isSeed)
}

/**
 * Loads a module, ESM or CommonJS, that exports seeds.
 *
 * @param file - its path, from `cwd`
 * @throws UsageError if there is no such file, or no function in it
 */
export const loadSeedFile = async (file: string, cwd: string): Promise<SeedFile> => {
  const path = resolve(cwd, file)
  if (!existsSync(path)) throw new UsageError(`${file}: there is no such file of seeds.`)
  const exported = await importSeeds(path, file)
  const seeds = seedsIn(exported)
  if (seeds.length === 0)
    throw new UsageError(
      `${file} exports no function: export one as the default, or several by name; each is given an EntityManager and the shard's name.`,
    )
  return { seeds, targets: exported['targets'] as SeedFile['targets'] }
}

const importSeeds = async (path: string, file: string): Promise<Record<string, unknown>> => {
  try {
    const [exported] = (await importOrRequireFile(path)) as [unknown, string]
    return typeof exported === 'function'
      ? { default: exported }
      : (exported as Record<string, unknown>)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new Error(`${file} could not be loaded: ${said}${loaderHint(file)}`, { cause: error })
  }
}
