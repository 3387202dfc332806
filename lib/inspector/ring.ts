/** The last so many of what was added; older ones are forgotten, and counted. */
export class Ring<T> {
  readonly #capacity: number
  #entries: T[] = []
  /** Where the oldest is, once it is full. */
  #oldest = 0
  #forgotten = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  add(entry: T): void {
    if (this.#entries.length < this.#capacity) {
      this.#entries.push(entry)
      return
    }
    this.#forgotten += 1
    if (this.#capacity === 0) return
    this.#entries[this.#oldest] = entry
    this.#oldest = (this.#oldest + 1) % this.#capacity
  }

  /** From the oldest to the newest. */
  list(): T[] {
    return [...this.#entries.slice(this.#oldest), ...this.#entries.slice(0, this.#oldest)]
  }

  /** Everything, and how many were forgotten since it was last emptied. */
  empty(): { readonly entries: readonly T[]; readonly forgotten: number } {
    const taken = { entries: this.list(), forgotten: this.#forgotten }
    this.#entries = []
    this.#oldest = 0
    this.#forgotten = 0
    return taken
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }
}
