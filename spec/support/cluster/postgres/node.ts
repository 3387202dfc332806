import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { PostgresServer } from '../../servers/find-postgres.js'
import { until } from '../../until.js'
import type { AdminConnection } from '../admin.js'
import { application } from '../application.js'
import { ClusterNode } from '../node.js'
import type { NodePlace } from '../place.js'
import type { ServerCommand } from '../server-process.js'
import type { LogLineReader } from '../statement-log.js'
import { connectPostgresAdmin } from './admin.js'
import { logLinePrefix, postgresLogReader } from './log.js'
import { asConfiguration, serverSettings, type PostgresSettings } from './settings.js'
import { replicationUser } from './template.js'

/** A PostgreSQL server with streaming replication. */
export class PostgresNode extends ClusterNode {
  readonly engine = 'postgres'
  protected readonly readyPattern = /ready to accept (read-only )?connections/
  protected readonly stopSignal = 'SIGINT' // does not wait until clients leave
  protected readonly abandonSignal = 'SIGQUIT' // SIGKILL would leave a shared memory segment behind
  readonly #server: PostgresServer
  #isStandby: boolean
  #changedSettings: PostgresSettings = {}

  constructor(place: NodePlace, server: PostgresServer) {
    super(place)
    this.#server = server
    this.#isStandby = place.role === 'replica'
  }

  async connections(): Promise<number> {
    const found = await this.sql<{ n: number }>(
      'SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = $1',
      [application.username],
    )
    return found[0]?.n ?? 0
  }

  /** A server that is up as a primary is started again for this: it becomes a standby no other way. */
  async follow(primary: ClusterNode): Promise<void> {
    if (!this.#isStandby) await this.stop()
    this.#isStandby = true
    await this.#change({
      primary_conninfo: `host=${primary.host} port=${primary.port} user=${replicationUser} application_name=${this.name}`,
      default_transaction_read_only: 'off',
    })
    await this.start()
    await until(() => this.#isStreamingFrom(primary), {
      what: () => `${this.name} to follow ${primary.name}\n${this.logTail()}`,
      timeoutMs: 15_000,
    })
  }

  async lead(): Promise<void> {
    await this.sql('SELECT pg_promote(true, 30)')
    this.#isStandby = false
    await this.#change({ recovery_min_apply_delay: 0, default_transaction_read_only: 'off' })
  }

  /** A primary that is stopped in good order first sends its standbys all that it wrote. */
  async handOverTo(successor: ClusterNode): Promise<void> {
    await successor.unfreezeReplication()
    await successor.waitForPosition(await this.position(), 10_000)
    await this.stop()
  }

  forgetOrigin(): void {
    rmSync(path.join(this.dataFolder, 'postmaster.pid'), { force: true })
  }

  async setReplicationDelay(seconds: number): Promise<void> {
    await this.#change({ recovery_min_apply_delay: Math.round(seconds * 1000) })
  }

  async freezeReplication(): Promise<void> {
    await this.sql('SELECT pg_wal_replay_pause()')
    await until(
      async () => {
        const found = await this.sql<{ s: string }>('SELECT pg_get_wal_replay_pause_state() AS s')
        return found[0]?.s === 'paused'
      },
      { what: `${this.name} to stop applying changes` },
    )
  }

  async unfreezeReplication(): Promise<void> {
    await this.sql('SELECT pg_wal_replay_resume()')
  }

  async setReadOnly(isReadOnly: boolean): Promise<void> {
    await this.#change({ default_transaction_read_only: isReadOnly ? 'on' : 'off' })
  }

  async createDatabase(name: string): Promise<void> {
    await this.sql(`CREATE DATABASE "${name}" OWNER ${application.username}`)
  }

  async position(): Promise<string> {
    const found = await this.sql<{ position: string }>('SELECT pg_current_wal_lsn() AS position')
    return found[0]?.position ?? '0/0'
  }

  async waitForPosition(position: string, timeoutMs: number): Promise<void> {
    const hasApplied = async (): Promise<boolean> => {
      const found = await this.sql<{ reached: boolean }>(
        'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS reached',
        [position],
      )
      return found[0]?.reached ?? false
    }
    await until(hasApplied, {
      what: () => `${this.name} to apply ${position}\n${this.logTail()}`,
      timeoutMs,
      intervalMs: 1,
    })
  }

  protected get statementLogFile(): string {
    return this.logFile
  }

  protected logLineReader(): LogLineReader {
    return postgresLogReader()
  }

  protected command(): ServerCommand {
    rmSync(path.join(this.dataFolder, 'postmaster.pid'), { force: true }) // left by kill -9
    if (this.#isStandby) writeFileSync(this.#standbyFile, '')
    else rmSync(this.#standbyFile, { force: true })
    this.#writeConfiguration()
    return { binary: path.join(this.#server.binFolder, 'postgres'), args: ['-D', this.dataFolder] }
  }

  protected connectAdmin(onLost: () => void): Promise<AdminConnection> {
    return connectPostgresAdmin(this.folder, this.port, onLost)
  }

  get #standbyFile(): string {
    return path.join(this.dataFolder, 'standby.signal')
  }

  /** Changes settings now, when the server is up, and for its next starts. */
  async #change(settings: PostgresSettings): Promise<void> {
    this.#changedSettings = { ...this.#changedSettings, ...settings }
    if (!this.isRunning) return
    const before = await this.#loadTime()
    this.#writeConfiguration()
    await this.sql('SELECT pg_reload_conf()')
    await until(async () => (await this.#loadTime()) !== before, {
      what: `${this.name} to read its configuration again`,
      intervalMs: 1,
    })
  }

  async #loadTime(): Promise<string | undefined> {
    const found = await this.sql<{ time: string }>('SELECT pg_conf_load_time()::text AS time')
    return found[0]?.time
  }

  #writeConfiguration(): void {
    const settings = {
      ...serverSettings,
      port: this.port,
      unix_socket_directories: this.folder,
      log_line_prefix: logLinePrefix,
      log_statement: this.logsStatements ? 'all' : 'none',
      ...this.settings,
      ...this.#changedSettings,
    }
    writeFileSync(path.join(this.dataFolder, 'postgresql.conf'), asConfiguration(settings))
  }

  async #isStreamingFrom(primary: ClusterNode): Promise<boolean> {
    const found = await this.sql(
      `SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming' AND sender_port = $1`,
      [primary.port],
    )
    return found.length > 0
  }
}
