import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { MariadbServer } from '../../servers/find-mariadb.js'
import { until } from '../../until.js'
import type { AdminConnection } from '../admin.js'
import { application } from '../application.js'
import { ClusterNode } from '../node.js'
import type { NodePlace } from '../place.js'
import type { ServerCommand } from '../server-process.js'
import type { LogLineReader } from '../statement-log.js'
import { connectMariadbAdmin } from './admin.js'
import { generalLogReader } from './general-log.js'
import { asFlags, serverSettings } from './settings.js'
import { replicationUser } from './template.js'

/** The columns of SHOW SLAVE STATUS that we look at. */
interface SlaveStatus {
  readonly Slave_IO_Running: 'Yes' | 'No' | 'Connecting' | 'Preparing'
  readonly Slave_SQL_Running: 'Yes' | 'No'
  readonly Slave_SQL_Running_State: string | null
  readonly Last_IO_Error: string
  readonly Last_SQL_Error: string
  readonly SQL_Delay: number
}

/** A MariaDB server with GTID replication, one GTID domain per shard. */
export class MariadbNode extends ClusterNode {
  readonly engine = 'mariadb'
  protected readonly readyPattern = /ready for connections/
  protected readonly stopSignal = 'SIGTERM'
  protected readonly abandonSignal = 'SIGKILL'
  readonly #server: MariadbServer
  #isReadOnly: boolean

  constructor(place: NodePlace, server: MariadbServer) {
    super(place)
    this.#server = server
    this.#isReadOnly = place.role === 'replica'
  }

  async connections(): Promise<number> {
    const found = await this.sql<{ n: number }>(
      'SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = ?',
      [application.username],
    )
    return found[0]?.n ?? 0
  }

  async follow(primary: ClusterNode): Promise<void> {
    this.#isReadOnly = true
    await this.start()
    const { username, password } = replicationUser
    await this.sql(
      `STOP SLAVE; SET GLOBAL read_only = 1; SET GLOBAL gtid_slave_pos = @@gtid_binlog_pos;
       CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = ?, MASTER_USER = ?, MASTER_PASSWORD = ?,
         MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 2;
       START SLAVE`,
      [primary.host, primary.port, username, password],
    )
    await until(() => this.#isReplicating(), { what: `${this.name} to follow ${primary.name}` })
  }

  async lead(): Promise<void> {
    await this.unfreezeReplication()
    const { SQL_Delay: delaySeconds } = await this.#slaveStatus()
    await until(
      async () => {
        const { Slave_SQL_Running_State: state } = await this.#slaveStatus()
        return state?.includes('has read all relay log')
      },
      { what: `${this.name} to apply what it received`, timeoutMs: 10_000 + delaySeconds * 1000 },
    )
    await this.sql('STOP SLAVE; RESET SLAVE ALL')
    await this.setReadOnly(false)
  }

  async handOverTo(successor: ClusterNode): Promise<void> {
    await this.setReadOnly(true)
    await successor.unfreezeReplication()
    await successor.waitForPosition(await this.position(), 10_000)
  }

  forgetOrigin(): void {
    for (const name of readdirSync(this.dataFolder)) {
      if (/^(master|relay|multi-master)/.test(name)) rmSync(path.join(this.dataFolder, name))
    }
  }

  async setReplicationDelay(seconds: number): Promise<void> {
    await this.sql(
      `STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = ${Math.round(seconds)}; START SLAVE`,
    )
  }

  async freezeReplication(): Promise<void> {
    await this.sql('STOP SLAVE SQL_THREAD')
  }

  async unfreezeReplication(): Promise<void> {
    await this.sql('START SLAVE SQL_THREAD')
  }

  async setReadOnly(isReadOnly: boolean): Promise<void> {
    await this.sql(`SET GLOBAL read_only = ${isReadOnly ? 1 : 0}`)
    this.#isReadOnly = isReadOnly // for the next start
  }

  async createDatabase(name: string): Promise<void> {
    const inGrant = name.replaceAll('_', '\\_') // there, an underscore stands for any letter
    await this.sql(
      `CREATE DATABASE \`${name}\`; GRANT ALL ON \`${inGrant}\`.* TO ${application.username}@'%'`,
    )
  }

  async position(): Promise<string> {
    const found = await this.sql<{ position: string }>('SELECT @@gtid_binlog_pos AS position')
    return found[0]?.position ?? ''
  }

  async waitForPosition(position: string, timeoutMs: number): Promise<void> {
    await this.#reconnectNow()
    const found = await this.sql<{ result: number }>('SELECT MASTER_GTID_WAIT(?, ?) AS result', [
      position,
      timeoutMs / 1000,
    ])
    if (found[0]?.result === 0) return
    const { Last_IO_Error, Last_SQL_Error, ...status } = await this.#slaveStatus()
    throw this.problem(
      `${this.name} has not applied ${position} after ${timeoutMs} ms ` +
        `(receiving: ${status.Slave_IO_Running}, applying: ${status.Slave_SQL_Running}, ` +
        `delay: ${status.SQL_Delay} s). ${Last_IO_Error} ${Last_SQL_Error}`,
    )
  }

  protected get statementLogFile(): string {
    return path.join(this.folder, 'general.log')
  }

  protected logLineReader(): LogLineReader {
    return generalLogReader()
  }

  protected command(): ServerCommand {
    const settings = {
      ...serverSettings,
      datadir: this.dataFolder,
      tmpdir: this.folder,
      socket: this.#socket,
      pid_file: path.join(this.folder, 'pid'),
      port: this.port,
      report_host: this.host,
      report_port: this.port,
      server_id: this.id,
      gtid_domain_id: this.shardIndex + 1,
      read_only: this.#isReadOnly ? 1 : 0,
      general_log: this.logsStatements ? 1 : 0,
      general_log_file: this.statementLogFile,
      ...this.settings,
    }
    const args = ['--no-defaults', ...this.#server.flags, ...asFlags(settings)]
    return { binary: this.#server.binary, args, env: this.#server.env }
  }

  protected connectAdmin(onLost: () => void): Promise<AdminConnection> {
    return connectMariadbAdmin(this.#socket, onLost)
  }

  get #socket(): string {
    return path.join(this.folder, 'socket')
  }

  async #slaveStatus(): Promise<SlaveStatus> {
    const [status] = await this.sql<SlaveStatus>('SHOW SLAVE STATUS')
    if (!status) throw new Error(`${this.name} is not a replica of any server`)
    return status
  }

  async #isReplicating(): Promise<boolean> {
    const status = await this.#slaveStatus()
    const error = status.Last_SQL_Error || status.Last_IO_Error
    if (error && status.Slave_IO_Running !== 'Connecting') {
      throw this.problem(`${this.name} cannot replicate: ${error}`)
    }
    return status.Slave_IO_Running === 'Yes' && status.Slave_SQL_Running === 'Yes'
  }

  /** The server itself tries once a second, at best: too long a pause after a primary's restart. */
  async #reconnectNow(): Promise<void> {
    const { Slave_IO_Running: receiving } = await this.#slaveStatus()
    if (receiving === 'Connecting') await this.sql('STOP SLAVE IO_THREAD; START SLAVE IO_THREAD')
  }
}
