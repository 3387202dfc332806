import type { ShardDescription, TopologyDescription } from '../../index.js'
import type { AddCommand, Cell, Paper } from '../frame.js'
import { placeText } from '../places.js'

const rowsOf = ({ name, engine, reads, isDefault, nodes }: ShardDescription): Cell[][] =>
  nodes.map((node, at) => [
    at > 0 ? '' : isDefault ? { text: name, tone: 'strong' } : name,
    at > 0 ? '' : engine,
    at > 0 ? '' : reads,
    node.role,
    node.node,
    node.group,
    node.weight,
    placeText(node),
  ])

const write = (paper: Paper, topology: TopologyDescription): void => {
  paper.table(
    ['shard', 'engine', 'reads', 'role', 'node', 'group', 'weight', 'server'],
    topology.shards.flatMap(rowsOf),
  )
  for (const [group, shards] of Object.entries(topology.groups))
    paper.line(`group ${group}: ${shards.join(', ')}`)
  if (!topology.isEnabled)
    paper.line('octopus is disabled: all goes to the default shard', 'warning')
  if (topology.collapsesReplicas)
    paper.line('replicas are collapsed into their primaries', 'warning')
}

/** `octopus topology`: shards, groups and servers as they are configured. */
export const addTopology: AddCommand = (program, frame) => {
  program
    .command('topology')
    .description('shards, their servers, and shard groups, as they are configured')
    .action(
      frame.action(async (session) => {
        const db = await session.loadDataSource()
        const topology = db.octopus.topology()
        session.output.show(topology, (paper) => write(paper, topology))
      }),
    )
}
