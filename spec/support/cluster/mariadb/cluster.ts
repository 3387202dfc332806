import { findMariadb } from '../../servers/find-mariadb.js'
import { missingServer } from '../../servers/missing.js'
import { Cluster, type ClusterOptions } from '../cluster.js'
import { serverAccount } from '../run-as.js'
import { MariadbNode } from './node.js'
import { mariadbTemplate } from './template.js'

/** Clusters of MariaDB servers with GTID replication. */
export const MariadbCluster = {
  async start(options?: ClusterOptions): Promise<Cluster> {
    const server = findMariadb()
    if (!server) throw missingServer('mariadb')
    const account = serverAccount(['mysql', 'nobody'])
    return Cluster.start(
      {
        name: 'mariadb',
        account,
        template: () => mariadbTemplate(server, account),
        createNode: (place) => new MariadbNode(place, server),
      },
      options,
    )
  },
}
