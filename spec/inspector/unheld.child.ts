// Ends by itself, although an inspector runs and a page of it is open. The page is in a thread of its
// own, so that this one is not held by the page's end of the connection.
import 'reflect-metadata'
import { Worker } from 'node:worker_threads'
import { startInspector } from '../../lib/inspector.js'
import { openShards } from './stage.js'

const page = `
const { parentPort, workerData } = require('node:worker_threads')
require('node:http').get(workerData + 'events', (response) =>
  response.once('data', () => parentPort.postMessage('open')))
`

const db = await openShards()
const { url } = await startInspector(db, { keep: 10 })
const worker = new Worker(page, { eval: true, workerData: url })
worker.once('message', () => {
  console.log('a page is open')
  worker.unref()
})
