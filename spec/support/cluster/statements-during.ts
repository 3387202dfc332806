import type { Cluster } from './cluster.js'

/**
 * Does `work`, and tells for each node by name which statements the application sent it meanwhile.
 * Statements that nobody awaits may be missed, or show up in the next count.
 */
export async function statementsDuring(
  cluster: Pick<Cluster, 'nodes'>,
  work: () => unknown,
): Promise<Record<string, string[]>> {
  const marks = cluster.nodes.map((node) => ({ node, mark: node.mark() }))
  await work()
  const counted = marks.map(async ({ node, mark }): Promise<[string, string[]]> => {
    const statements = await node.statementsSince(mark)
    return [node.name, statements.map(({ sql }) => sql)]
  })
  return Object.fromEntries(await Promise.all(counted))
}
