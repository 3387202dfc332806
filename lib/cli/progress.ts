import { MultiBar, type SingleBar } from 'cli-progress'
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

/** How often bars are drawn at most, in milliseconds. */
const redrawMs = 80

/** One bar as it is to be drawn. */
interface Drawn {
  readonly total: number
  value: number
  label: string
  bar: SingleBar | undefined
}

/** The bars on one terminal, one below the other, which make way for what is written beside them. */
export class ProgressBars {
  readonly #stream: TextStream
  readonly #open = new Set<Drawn>()
  #bars: MultiBar | undefined
  #drawnAt = 0

  constructor(stream: TextStream) {
    this.#stream = stream
  }

  /** Starts a bar; there is none where the stream is not a terminal. */
  start(total: number, label: string): Progress {
    if (this.#stream.isTTY !== true) return silentProgress
    const drawn: Drawn = { total, value: 0, label, bar: undefined }
    this.#open.add(drawn)
    this.#present().update()
    return {
      step: (count = 1, next = drawn.label) => {
        drawn.value += count
        drawn.label = next
        drawn.bar?.update(drawn.value, { label: next })
        this.#draw()
      },
      stop: () => {
        if (!this.#open.delete(drawn)) return
        this.makeWay()
        if (this.#open.size > 0) this.#present().update()
      },
    }
  }

  /** Makes way for a line; the bars come back with the next step. */
  makeWay(): void {
    this.#bars?.stop()
    this.#bars = undefined
    this.#drawnAt = 0
    for (const drawn of this.#open) drawn.bar = undefined
  }

  /** Takes what is left from the terminal. */
  stop(): void {
    this.#open.clear()
    this.makeWay()
  }

  /** Draws them, unless that has just been done. */
  #draw(): void {
    const bars = this.#present()
    const now = performance.now()
    if (now - this.#drawnAt < redrawMs) return
    this.#drawnAt = now
    bars.update()
  }

  /** What draws the bars, with a bar for each. */
  #present(): MultiBar {
    const bars = (this.#bars ??= this.#made())
    for (const drawn of this.#open)
      drawn.bar ??= bars.create(drawn.total, drawn.value, { label: drawn.label })
    return bars
  }

  #made(): MultiBar {
    return new MultiBar({
      format: '{label} [{bar}] {value}/{total} · {eta_formatted} left',
      // All that it uses of a stream is what a TextStream has.
      stream: this.#stream as NodeJS.WriteStream,
      clearOnComplete: true,
      hideCursor: true,
      forceRedraw: true,
      barsize: 24,
      // SIGINT is the session's, which stops the bars that are left.
      gracefulExit: false,
    })
  }
}
