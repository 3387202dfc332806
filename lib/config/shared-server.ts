import { namesAreSound } from './connection.js'
import type { Connection } from './inherit.js'
import { type Path, type Problems, formatPath } from './problems.js'
import { serverOf } from './server.js'
import type { EngineFamily } from './words.js'

/** An endpoint, with where it was written and what it is a copy of. */
export interface PlacedEndpoint {
  readonly path: Path
  readonly connection: Connection
  readonly family: EngineFamily
  /** The primary, if this is a replica. */
  readonly primary: PlacedEndpoint | undefined
  /** Its `url` as written, if it has one. */
  readonly url: string | undefined
}

const labelOf = (path: Path): string =>
  path.length === 0 ? 'the default shard (the DataSource)' : formatPath(path)

const remedy = 'or set "allowSharedServer: true" if that is meant'

const explain = (endpoint: PlacedEndpoint, other: PlacedEndpoint, server: string): string => {
  if (endpoint.primary !== other)
    return `is on the same server and database as ${labelOf(other.path)} (${server}); name another, ${remedy}`
  return endpoint.url !== undefined && endpoint.url === other.url
    ? `has its primary's "url" (does a merge key bring it along?); name the replica's own server, ${remedy}`
    : `is its own primary (${server}); name the replica's own server, ${remedy}`
}

/** Reports endpoints that reach the database of another one. */
export const checkSharedServers = (
  endpoints: readonly PlacedEndpoint[],
  problems: Problems,
): void => {
  const reached = new Map<string, PlacedEndpoint>()
  // judged before anything is reported here, which would itself count as damage
  const sound = endpoints.filter(({ path }) => path.length === 0 || namesAreSound(path, problems))
  for (const endpoint of sound) {
    const server = serverOf(endpoint.connection, endpoint.family)
    if (server === undefined) continue
    const other = reached.get(server)
    if (other === undefined) reached.set(server, endpoint)
    else problems.report(endpoint.path, explain(endpoint, other, server))
  }
}
