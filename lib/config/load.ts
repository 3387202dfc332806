import { readFileSync } from 'node:fs'
import { checkNames } from './names.js'
import type { OctopusOptions } from './options.js'
import { type Path, Problems } from './problems.js'
import { isMapping, withoutPath } from './prune.js'
import { checkShape } from './shape.js'
import { typedText } from './typed-text.js'
import { type Environment, loneVariable, substituteVariables } from './variables.js'
import { type TextPlace, parseYaml } from './yaml.js'

/** Stands for a text whose variable is missing, wherever merge keys carry it. */
const missing = Symbol('missing')

const readText =
  (environment: Environment, problems: Problems) =>
  (text: string, { path, line, isQuoted }: TextPlace): unknown => {
    const substituted = substituteVariables(text, environment)
    if (!substituted.ok) {
      for (const wrong of substituted.wrong) problems.report(path, `${wrong} (line ${line})`)
      return missing
    }
    const variable = loneVariable(text)
    if (variable === undefined) return substituted.text
    const typed = typedText(substituted.text, path, isQuoted)
    if ('value' in typed) return typed.value
    problems.report(
      path,
      `the environment variable ${variable} must be ${typed.expected} here (line ${line})`,
    )
    return missing
  }

const pathsOfMissing = (value: unknown, path: Path = []): Path[] => {
  if (value === missing) return [path]
  if (Array.isArray(value))
    return value.flatMap((item: unknown, index) => pathsOfMissing(item, [...path, index]))
  if (!isMapping(value)) return []
  return Object.entries(value).flatMap(([key, entry]) => pathsOfMissing(entry, [...path, key]))
}

const readError = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return `there is no such file, seen from ${process.cwd()}`
  if (code === 'EISDIR') return 'is a directory; name the file in it'
  return `cannot be read (${code})`
}

/**
 * Reads a file into options of the right shape. What is wrong is added to `problems`, and what is
 * left can be checked further. Keys at the top that begin with `x-` are the user's own, such as
 * anchors for merge keys.
 */
export const loadOptions = (
  file: string,
  environment: Environment,
  problems: Problems,
): OctopusOptions | undefined => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    problems.report([], readError(error))
    problems.throwIfAny(file, error)
    throw error
  }
  const before = problems.count
  let value = parseYaml(text, readText(environment, problems), problems)
  if (value === undefined && problems.count > before) return undefined
  if (value === null || value === undefined) {
    problems.report([], 'the file is empty; see docs/configuration.md for what it can hold')
    return undefined
  }
  for (const path of pathsOfMissing(value)) {
    problems.noteMissing(path)
    value = withoutPath(value, path)
  }
  if (isMapping(value))
    value = Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')))
  return checkShape(value, problems)
}

/**
 * Reads the options of `octopus()` from a YAML file: merge keys are followed, `${NAME}` and
 * `${NAME:-default}` are replaced from the environment, shape and names are checked. What depends on
 * the DataSource, such as the engine of a shard, is checked by `octopus()`.
 *
 * @throws ConfigError with every problem found, and the file
 */
export const loadConfig = (
  path: string,
  environment: Environment = process.env,
): OctopusOptions => {
  const problems = new Problems()
  const options = loadOptions(path, environment, problems)
  if (options !== undefined) checkNames(options, problems)
  problems.throwIfAny(path)
  return options ?? {}
}
