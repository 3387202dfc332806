import { get, type IncomingMessage } from 'node:http'

/** Reads all that an inspector's page is sent. */
export class PageReader {
  readonly #stream: IncomingMessage
  #text = ''

  private constructor(stream: IncomingMessage) {
    this.#stream = stream
    stream.setEncoding('utf8').on('data', (chunk: string) => (this.#text += chunk))
  }

  static open(url: string, token: string): Promise<PageReader> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` }
      get(new URL('events', url), { headers }, (stream) =>
        stream.statusCode === 200
          ? resolve(new PageReader(stream))
          : reject(new Error(`The inspector answered ${stream.statusCode}`)),
      ).on('error', reject)
    })
  }

  get text(): string {
    return this.#text
  }

  close(): void {
    this.#stream.destroy()
  }
}
