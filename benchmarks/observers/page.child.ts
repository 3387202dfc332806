import { type ClientRequest, get } from 'node:http'

/** A page of an inspector that is open, in a process of its own: what it costs is not the server's. */
let page: ClientRequest | undefined

process.on('message', (url: string | undefined) => {
  page?.destroy()
  page = undefined
  if (url === '') return process.send?.('closed')
  page = get(`${url}events`, (stream) => {
    stream.once('data', () => process.send?.('open')).resume()
    stream.on('error', () => undefined)
  })
  page.on('error', () => undefined)
})
process.on('disconnect', () => process.exit())
