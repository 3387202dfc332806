import 'reflect-metadata'
import { parentPort, workerData } from 'node:worker_threads'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { octopus } from '../../lib/index.js'

const { source, idSql } = workerData as { source: DataSourceOptions; idSql: string }

const db = octopus(new DataSource(source), {})
await db.initialize()
const [row] = (await db.query(idSql)) as { id: unknown }[]
parentPort?.postMessage({ id: Number(row?.id), pools: db.octopus.pools().map(({ idle }) => idle) })
parentPort?.once('message', () => {
  void db.destroy().then(() => parentPort?.close())
})
