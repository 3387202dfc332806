import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { PostgresServer } from '../../servers/find-postgres.js'
import { application } from '../application.js'
import type { Account } from '../run-as.js'
import { templateFolder } from '../template.js'

export const administrator = 'postgres'
export const replicationUser = 'repl'

const { username, password, database } = application

// One statement a line: that is how a single-user server reads them.
const ourUsers = [
  `CREATE ROLE ${username} LOGIN PASSWORD '${password}'`,
  `CREATE DATABASE ${database} OWNER ${username}`,
  `CREATE ROLE ${replicationUser} LOGIN REPLICATION`,
  '',
].join('\n')

/** Passwords go in clear over loopback: a hash would cost milliseconds with every connection. */
const accessRules = [
  `local all ${administrator} trust`,
  `host replication ${replicationUser} 127.0.0.1/32 trust`,
  `host all all 127.0.0.1/32 password`,
  '',
].join('\n')

const initFlags = [
  `--username=${administrator}`,
  '--auth=trust',
  '--encoding=UTF8',
  '--no-locale',
  '--no-sync',
  '--wal-segsize=1',
]

/** A data folder with our roles and the empty database of the application. */
export function postgresTemplate(
  server: PostgresServer,
  account: Account | undefined,
): Promise<string> {
  return templateFolder({
    name: `postgres-${server.version}`,
    ingredients: [ourUsers, accessRules, ...initFlags],
    account,
    build(dataFolder, workFolder) {
      const run = (name: string, args: readonly string[], input = ''): void => {
        execFileSync(path.join(server.binFolder, name), args, {
          cwd: workFolder,
          input,
          stdio: ['pipe', 'pipe', 'pipe'], // its complaints become part of the error
          ...account,
        })
      }
      run('initdb', ['-D', dataFolder, ...initFlags])
      writeFileSync(path.join(dataFolder, 'pg_hba.conf'), accessRules)
      run('postgres', ['--single', '-F', '-D', dataFolder, administrator], ourUsers)
    },
  })
}
