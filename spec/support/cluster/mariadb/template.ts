import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { MariadbServer } from '../../servers/find-mariadb.js'
import { application } from '../application.js'
import { giveTo, type Account } from '../run-as.js'
import { templateFolder } from '../template.js'
import { asFlags, bootstrapSettings } from './settings.js'

export const replicationUser = { username: 'repl', password: 'repl' } as const

const { username, password, database } = application

const ourUsers = [
  "DELETE FROM mysql.global_priv WHERE User='';",
  `CREATE DATABASE ${database} CHARACTER SET utf8mb4;`,
  `CREATE USER ${username}@'%' IDENTIFIED BY '${password}';`,
  `GRANT ALL ON \`${database}%\`.* TO ${username}@'%';`,
  `GRANT BINLOG MONITOR, SLAVE MONITOR ON *.* TO ${username}@'%';`,
  `CREATE USER ${replicationUser.username}@'%' IDENTIFIED BY '${replicationUser.password}';`,
  `GRANT REPLICATION SLAVE ON *.* TO ${replicationUser.username}@'%';`,
]

/** A data folder with the system tables, our users and the empty database of the application. */
export function mariadbTemplate(
  server: MariadbServer,
  account: Account | undefined,
): Promise<string> {
  const systemTables = [
    'mysql_system_tables',
    'mysql_performance_tables',
    'mysql_system_tables_data',
  ]
  const sql = [
    'CREATE DATABASE mysql;',
    'USE mysql;',
    'SET @auth_root_socket=NULL;', // root without a password, whoever we are
    ...systemTables.map((name) =>
      readFileSync(path.join(server.shareFolder, `${name}.sql`), 'utf8'),
    ),
    'FLUSH PRIVILEGES;',
    ...ourUsers,
    'FLUSH PRIVILEGES;',
    '',
  ].join('\n')
  const flags = [...server.flags, ...asFlags(bootstrapSettings)]
  return templateFolder({
    name: `mariadb-${server.version}`,
    ingredients: [sql, ...flags],
    account,
    build: (dataFolder, workFolder) =>
      bootstrap({ server, account, sql, flags, dataFolder, workFolder }),
  })
}

interface Bootstrap {
  readonly server: MariadbServer
  readonly account: Account | undefined
  readonly sql: string
  readonly flags: readonly string[]
  readonly dataFolder: string
  readonly workFolder: string
}

/** Feeds the server our SQL at once: neither mariadb-install-db nor a second start is needed. */
function bootstrap({ server, account, sql, flags, dataFolder, workFolder }: Bootstrap): void {
  mkdirSync(dataFolder)
  giveTo(account, dataFolder)
  const places = [`--datadir=${dataFolder}`, `--tmpdir=${workFolder}`]
  execFileSync(server.binary, ['--no-defaults', '--bootstrap', ...places, ...flags], {
    input: sql,
    env: { ...process.env, ...server.env },
    stdio: ['pipe', 'pipe', 'pipe'], // its complaints become part of the error
    ...account,
  })
  for (const file of ['ib_buffer_pool', 'ibtmp1'])
    rmSync(path.join(dataFolder, file), { force: true })
}
