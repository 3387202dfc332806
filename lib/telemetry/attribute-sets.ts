import type { Attributes } from '@opentelemetry/api'

/** Attributes of metrics, each set made once: they have few values, and a statement is short. */
export class AttributeSets {
  readonly #made = new Map<string, Attributes>()

  /** @param key - tells the set from all others */
  of(key: string, make: () => Attributes): Attributes {
    let attributes = this.#made.get(key)
    if (attributes === undefined) this.#made.set(key, (attributes = make()))
    return attributes
  }
}
