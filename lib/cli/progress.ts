import { SingleBar } from 'cli-progress'
import type { TextStream } from './surroundings.js'

/** How far long work has got. */
export interface Progress {
  /** So much more is done; `label` says what is being done now. */
  step(count?: number, label?: string): void
  /** Takes it from the terminal. Harmless twice. */
  stop(): void
}

/** Where nobody watches, there is nothing to show. */
export const silentProgress: Progress = { step: () => undefined, stop: () => undefined }

const clearLine = '\r\u001B[2K'

/** The bars on one terminal, which make way for what is written beside them. */
export class ProgressBars {
  readonly #stream: TextStream
  readonly #open = new Set<Progress>()

  constructor(stream: TextStream) {
    this.#stream = stream
  }

  /** Starts a bar; there is none where the stream is not a terminal. */
  start(total: number, label: string): Progress {
    if (this.#stream.isTTY !== true || this.#open.size > 0) return silentProgress
    const bar = new SingleBar({
      format: '{label} [{bar}] {value}/{total}',
      // All that it uses of a stream is what a TextStream has.
      stream: this.#stream as NodeJS.WriteStream,
      clearOnComplete: true,
      hideCursor: true,
      forceRedraw: true,
      barsize: 24,
      // SIGINT is the session's, which stops the bars that are left.
      gracefulExit: false,
    })
    bar.start(total, 0, { label })
    const progress: Progress = {
      step: (count = 1, next) => bar.increment(count, next === undefined ? {} : { label: next }),
      stop: () => {
        if (this.#open.delete(progress)) bar.stop()
      },
    }
    this.#open.add(progress)
    return progress
  }

  /** Makes way for a line; the bar comes back by itself. */
  makeWay(): void {
    if (this.#open.size > 0) this.#stream.write(clearLine)
  }

  /** Takes what is left from the terminal. */
  stop(): void {
    for (const progress of this.#open) progress.stop()
  }
}
