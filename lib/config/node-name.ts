import { basename } from 'node:path'
import type { Connection } from './inherit.js'

/** What a node's name is made from. */
export interface Nameable {
  readonly name: string | undefined
  readonly connection: Connection
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** Names for a node, the shortest first; those of a file are its base name and its path. */
const candidatesFor = ({
  host,
  port,
  socketPath,
  database,
  location,
  type,
}: Connection): string[] => {
  if (isText(socketPath)) return [basename(socketPath), socketPath]
  if (isText(host)) {
    const server = typeof port === 'number' ? `${host}:${port}` : host
    return [host, server, ...(isText(database) ? [`${server}/${database}`] : [])]
  }
  const file = [location, type === 'better-sqlite3' ? database : undefined].find(isText)
  return file === undefined || file === ':memory:' ? [] : [basename(file), file]
}

const numbered = (base: string, taken: ReadonlySet<string>): string => {
  let name = base
  for (let number = 2; taken.has(name); number += 1) name = `${base}-${number}`
  return name
}

/**
 * Names the nodes of one shard, primary first, each differently: as given, else by host, host and
 * port, or file, whichever is unique first, else by role.
 */
export const nodeNames = (nodes: readonly Nameable[]): string[] => {
  const taken = new Set(nodes.flatMap(({ name }) => name ?? []))
  const candidates = nodes.map((node) =>
    node.name === undefined ? candidatesFor(node.connection) : [],
  )
  const isShared = (candidate: string): boolean =>
    candidates.filter((names) => names.includes(candidate)).length > 1
  return nodes.map(({ name }, index) => {
    if (name !== undefined) return name
    const unique = candidates[index]?.find((each) => !taken.has(each) && !isShared(each))
    const chosen = unique ?? numbered(index === 0 ? 'primary' : `replica-${index}`, taken)
    taken.add(chosen)
    return chosen
  })
}
