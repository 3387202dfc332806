import {
  type Document,
  type ErrorCode,
  LineCounter,
  type Node,
  type Pair,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml'
import type { Path, Problems } from './problems.js'

/**
 * What each syntax error means. The parser's own messages are not used: they quote the text, and
 * the text may be a password.
 */
const explanations: Record<ErrorCode, string> = {
  ALIAS_PROPS: 'an alias (*name) cannot have an anchor or a tag',
  BAD_ALIAS: 'not an alias; a value that begins with * must be quoted',
  BAD_COLLECTION_TYPE:
    'the tag (!name) does not fit the value; a value that begins with ! must be quoted',
  BAD_DIRECTIVE: 'not a directive; a line that begins with % must be quoted',
  BAD_DQ_ESCAPE: 'a backslash in double quotes begins no known escape; use single quotes',
  BAD_INDENT: 'wrong indentation',
  BAD_PROP_ORDER: 'anchors and tags must come before what introduces the value',
  BAD_SCALAR_START: 'a value cannot begin with this character unless it is quoted',
  BLOCK_AS_IMPLICIT_KEY:
    'a mapping or list cannot stand here; is a line not indented enough, or a value with ": " not quoted?',
  BLOCK_IN_FLOW: 'an indented mapping or list cannot stand inside [ ] or { }',
  DUPLICATE_KEY: 'this key stands in the same mapping twice; remove one of them',
  IMPOSSIBLE: 'cannot be read as YAML',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters; is a ":" or a quote missing?',
  MISSING_CHAR:
    'a character is missing here, such as a closing quote or bracket, a comma, or the space after ":" or before "#"',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is the space after ":" missing above?',
  MULTIPLE_ANCHORS: 'a value can have one anchor (&name) only',
  MULTIPLE_DOCS: 'the file holds several documents (---); keep one',
  MULTIPLE_TAGS: 'a value can have one tag (!name) only',
  NON_STRING_KEY: 'a key must be a plain word',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'indented with a tab; use spaces',
  TAG_RESOLVE_FAILED:
    'the tag (!name) is not known here; a value that begins with ! must be quoted',
  UNEXPECTED_TOKEN: 'this cannot stand here; a value with special characters must be quoted',
}

/** A text in the file, with what is around it. */
export interface TextPlace {
  readonly path: Path
  readonly line: number
  readonly isQuoted: boolean
}

const keyOf = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value) : '')

const pathOf = (node: Node, ancestors: readonly (Document | Node | Pair)[]): Path => {
  const chain = [...ancestors, node]
  return chain.flatMap((parent, depth): Path => {
    if (isPair(parent)) return [keyOf(parent)]
    return isSeq(parent) ? [parent.items.indexOf(chain[depth + 1])] : []
  })
}

/** Reports aliases that name nothing set before them, or a value that they are part of. */
const checkAliases = (
  document: Document,
  placeOf: (node: Node) => string,
  problems: Problems,
): void => {
  const anchors = new Map<string, Node>()
  visit(document, {
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node)
    },
    Alias: (_key, node, ancestors) => {
      const target = anchors.get(node.source)
      if (target === undefined)
        problems.reportAt(
          placeOf(node),
          'an alias (*name) must come after its anchor (&name); a value that begins with * must be quoted',
        )
      else if (ancestors.includes(target))
        problems.reportAt(placeOf(node), 'an alias (*name) stands inside the value that it repeats')
    },
  })
}

/**
 * Reads YAML with merge keys; `read` turns each text of the file into its value. Yields undefined
 * when the text cannot be read, which has been reported with line and column.
 */
export const parseYaml = (
  text: string,
  read: (text: string, place: TextPlace) => unknown,
  problems: Problems,
): unknown => {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    merge: true,
    // else the messages would quote the lines
    prettyErrors: false,
    stringKeys: true,
    lineCounter: lines,
  })
  const placeAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `line ${line}, column ${col}`
  }
  // an unknown tag is only a warning to the parser, but makes `password: !x` an empty one
  const failures = [...document.errors, ...document.warnings]
  for (const { code, pos } of failures) problems.reportAt(placeAt(pos[0]), explanations[code])
  if (failures.some(({ code }) => code !== 'DUPLICATE_KEY')) return undefined

  const before = problems.count
  checkAliases(document, (node) => placeAt(node.range?.[0] ?? 0), problems)
  if (problems.count > before) return undefined

  visit(document, {
    Scalar: (key, node, ancestors) => {
      if (key === 'key' || typeof node.value !== 'string') return
      node.value = read(node.value, {
        path: pathOf(node, ancestors),
        line: lines.linePos(node.range?.[0] ?? 0).line,
        isQuoted: node.type !== 'PLAIN',
      })
    },
  })
  // the file is the user's own, and each merge key counts as an alias: no limit
  return document.toJS({ maxAliasCount: -1 })
}
