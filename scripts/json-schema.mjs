// Writes schema/octopus.schema.json from the schema that the library checks with, for editors.
// Runs after `tsc -p tsconfig.spec.json`; with --check it only says whether the file is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { format } from 'prettier'
import { z } from 'zod'
import { octopusSchema } from '../.build/lib/config/schema.js'

const file = new URL('../schema/octopus.schema.json', import.meta.url)

const isObject = (node) => typeof node === 'object' && node !== null

/** Leaves out what can be given in code only. */
const forFiles = (node) => {
  if (Array.isArray(node)) return node.filter((item) => !item?.codeOnly).map(forFiles)
  if (!isObject(node)) return node
  const kept = Object.entries(node).filter(([key, value]) => !value?.codeOnly && key !== 'readOnly')
  const entries = kept.map(([key, value]) => [key, forFiles(value)])
  const { anyOf, ...rest } = Object.fromEntries(entries)
  return anyOf?.length === 1 ? { ...anyOf[0], ...rest } : { ...(anyOf && { anyOf }), ...rest }
}

const variable = { $ref: '#/$defs/variable' }
const acceptsAnyText = (node) => node.type === 'string' && !node.pattern && !node.enum
const isChoice = (node) =>
  ['integer', 'number', 'boolean'].includes(node.type) || node.pattern || node.enum

/** Of the choices of a value only lists and mappings: one variable is enough for the others. */
const withInnerVariables = (node) =>
  ['array', 'object'].includes(node.type) ? withVariables(node) : node

/** Lets a variable stand where a file holds a number, a boolean, a name or a choice. */
const withVariables = (node) => {
  if (Array.isArray(node)) return node.map(withVariables)
  if (!isObject(node)) return node
  if (node.anyOf)
    return node.anyOf.some(acceptsAnyText)
      ? node
      : { ...node, anyOf: [...node.anyOf.map(withInnerVariables), variable] }
  if (isChoice(node)) {
    const { description, ...value } = node
    return { ...(description && { description }), anyOf: [value, variable] }
  }
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === 'propertyNames' ? value : withVariables(value),
    ]),
  )
}

/** Names the replica's shape, which stands under each shard twice. */
const withNamedReplica = (node, replica) => {
  if (Array.isArray(node)) return node.map((item) => withNamedReplica(item, replica))
  if (!isObject(node)) return node
  if (isDeepStrictEqual(node, replica)) return { $ref: '#/$defs/replica' }
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, withNamedReplica(value, replica)]),
  )
}

const { $schema, ...generated } = z.toJSONSchema(octopusSchema, {
  unrepresentable: 'any',
  io: 'input',
  reused: 'inline',
})
const top = withVariables(forFiles(generated))
const replica = top.properties.replicas.items
const schema = {
  $schema,
  $id: 'https://unpkg.com/typeorm-octopus/schema/octopus.schema.json',
  title: 'typeorm-octopus configuration',
  ...withNamedReplica(top, replica),
  patternProperties: { '^x-': { description: 'Your own: a place for anchors.' } },
  $defs: { replica, variable: { type: 'string', pattern: '\\$\\{[A-Za-z_]\\w*(:-[^}]*)?\\}' } },
}
const text = await format(JSON.stringify(schema), { parser: 'json', printWidth: 100 })

if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('schema/octopus.schema.json is out of date; run: node scripts/json-schema.mjs')
  process.exitCode = 1
}
