import { findPostgres } from '../../servers/find-postgres.js'
import { missingServer } from '../../servers/missing.js'
import { Cluster, type ClusterOptions } from '../cluster.js'
import { serverAccount } from '../run-as.js'
import { PostgresNode } from './node.js'
import { postgresTemplate } from './template.js'

/** Clusters of PostgreSQL servers with streaming replication. */
export const PostgresCluster = {
  async start(options?: ClusterOptions): Promise<Cluster> {
    const server = findPostgres()
    if (!server) throw missingServer('postgres')
    const account = serverAccount(['postgres', 'nobody'])
    return Cluster.start(
      {
        name: 'postgres',
        account,
        template: () => postgresTemplate(server, account),
        createNode: (place) => new PostgresNode(place, server),
      },
      options,
    )
  },
}
