/** The middle of a set of measurements, and how far they spread. */
export interface Quartiles {
  readonly low: number
  readonly median: number
  readonly high: number
}

/** The quartiles of at least one number. */
export const quartilesOf = (values: readonly number[]): Quartiles => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return { low: at(0.25), median: at(0.5), high: at(0.75) }
}

/** The values in random order. */
export const shuffled = <T>(values: readonly T[]): T[] => {
  const order = [...values]
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1))
    const [a, b] = [order[last], order[other]] as [T, T]
    order[last] = b
    order[other] = a
  }
  return order
}
