import { type ErrorFacts, withoutPasswords } from './exit.js'
import { type Progress, ProgressBars } from './progress.js'
import type { Surroundings, TextStream } from './surroundings.js'
import { type Cell, type Painter, type Tone, painterOf, printable, tableText } from './table.js'

/** How the command line was asked to print. */
export interface PrintOptions {
  readonly json: boolean
  readonly color: boolean
  readonly verbose: boolean
}

/** Where a command writes what people read: tables and lines. */
export interface Paper {
  /** A line, or several; control characters in it are written out. */
  line(text?: string, tone?: Tone): void
  table(columns: readonly string[], rows: readonly (readonly Cell[])[]): void
}

const hasColours = (stream: TextStream, isWanted: boolean): boolean =>
  isWanted && stream.isTTY === true && stream.hasColors?.() === true

const indent = 2

/** JSON has no numbers as long as a database's. */
const jsonValue = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value

/**
 * What a command has to say. Each thing is said once, in the form that was asked for: a command gives
 * the value for programs (`--json`) and writes the same on paper for people, and only one of them is
 * printed, to stdout. Warnings, errors and progress go to stderr, and progress to a terminal only.
 */
export class Output {
  readonly isJson: boolean
  readonly #isVerbose: boolean
  readonly #stdout: TextStream
  readonly #stderr: TextStream
  readonly #bars: ProgressBars
  readonly #paper: Paper
  readonly #paintError: Painter

  constructor({ stdout, stderr }: Surroundings, { json, color, verbose }: PrintOptions) {
    this.isJson = json
    this.#isVerbose = verbose
    this.#stdout = stdout
    this.#stderr = stderr
    this.#bars = new ProgressBars(stderr)
    this.#paintError = painterOf(hasColours(stderr, color))
    const paint = painterOf(hasColours(stdout, color))
    this.#paper = {
      line: (text = '', tone) =>
        this.#print(tone === undefined ? printable(text) : paint(printable(text), tone)),
      table: (columns, rows) => this.#print(tableText(columns, rows, paint)),
    }
  }

  /** Shows the whole result of a command: one JSON document, or what `write` puts on paper. */
  show(value: unknown, write: (paper: Paper) => void): void {
    if (this.isJson) this.#print(JSON.stringify(value, jsonValue, indent))
    else write(this.#paper)
  }

  /** Shows one event of many, as it happens: one JSON object on a line of its own, or what `write`
   *  puts on paper. */
  event(value: object, write: (paper: Paper) => void): void {
    if (this.isJson) this.#print(JSON.stringify(value, jsonValue))
    else write(this.#paper)
  }

  /** Says on stderr what should be known beside the result. */
  warn(message: string): void {
    this.#say(`${this.#paintError('warning:', 'warning')} ${printable(withoutPasswords(message))}`)
  }

  /**
   * Says on stderr why the command failed: as a JSON object with `--json`.
   *
   * @param stack - for `--verbose`
   */
  error(error: ErrorFacts, stack: string): void {
    if (this.isJson) return this.#say(JSON.stringify({ error }))
    const code = error.code === undefined ? '' : this.#paintError(` [${error.code}]`, 'quiet')
    this.#say(`${this.#paintError('error:', 'bad')} ${printable(error.message)}${code}`)
    if (this.#isVerbose) this.#say(printable(stack))
  }

  /** Shows on a terminal how far long work has got; stop it when the work is done. */
  progress(total: number, label: string): Progress {
    return this.#bars.start(total, label)
  }

  /** Makes way for what somebody else writes; progress comes back with its next step. */
  makeWay(): void {
    this.#bars.makeWay()
  }

  /** Takes what is left of progress from the terminal. */
  close(): void {
    this.#bars.stop()
  }

  #print(text: string): void {
    this.#bars.makeWay()
    this.#stdout.write(`${text}\n`)
  }

  #say(text: string): void {
    this.#bars.makeWay()
    this.#stderr.write(`${text}\n`)
  }
}
