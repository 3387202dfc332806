import type { z } from 'zod'
import type { Path } from './problems.js'
import { lagShape } from './pool-schema.js'
import { replicaShape, shardShape, topShape } from './schema.js'

const schemas = new Map<string, z.ZodType>([
  ...Object.entries(replicaShape),
  ...Object.entries(shardShape),
  ...Object.entries(topShape),
  ...Object.entries(lagShape),
  ['windowMs', topShape.readYourWrites.shape.windowMs],
])

/** Keys whose content belongs to the driver, so that nothing is known about its types. */
const driverKeys = ['extra', 'ssl', 'cache', 'sqlJsConfig']

const booleans = new Map([
  ['true', true],
  ['false', false],
])

const numberOf = (text: string): number | undefined =>
  /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined

/** As a plain YAML value would be read; `0123` is no number, so that it stays what it is. */
const readAsYaml = (text: string): unknown => {
  const number = numberOf(text)
  return booleans.get(text) ?? (number !== undefined && String(number) === text ? number : text)
}

/** The value of a text that came from one variable, or what it should have been. */
export type TypedText = { readonly value: unknown } | { readonly expected: string }

/**
 * Gives a text that came whole from a variable the type that its key has: the port "3306" is the
 * number 3306, the password "3306" stays a text.
 */
export const typedText = (text: string, path: Path, isQuoted: boolean): TypedText => {
  if (path.slice(0, -1).some((part) => driverKeys.includes(String(part))))
    return { value: isQuoted ? text : readAsYaml(text) }
  const schema = schemas.get(String(path.at(-1)))
  const accepts = (value: unknown): boolean => schema?.safeParse(value).success === true
  const boolean = booleans.get(text)
  if (boolean !== undefined && accepts(boolean)) return { value: boolean }
  if (accepts(text)) return { value: text }
  // numbers out of range stay numbers: the schema says what the range is
  if (accepts(1) || accepts(1000)) {
    const number = numberOf(text)
    return number === undefined ? { expected: 'a number' } : { value: number }
  }
  return accepts(true) && !accepts('all') && schema?.type === 'boolean'
    ? { expected: 'true or false' }
    : { value: text }
}
