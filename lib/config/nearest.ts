/** How many characters must be inserted, removed, replaced or swapped to turn one word into another. */
const distance = (from: string, to: string): number => {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1]
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
      )
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}

/** Two spellings of one word: `acquire_timeout_ms` and `acquireTimeoutMs`. */
const plain = (word: string): string => word.toLowerCase().replace(/[_-]/g, '')

/** The choice that was probably meant, or undefined if none is near. */
export const nearest = (word: string, choices: readonly string[]): string | undefined => {
  const limit = Math.max(1, Math.floor(word.length / 4))
  let best: { choice: string; distance: number } | undefined
  for (const choice of choices) {
    const far = distance(plain(word), plain(choice))
    if (far <= limit && (best === undefined || far < best.distance))
      best = { choice, distance: far }
  }
  return best?.choice
}

/** What a message says after an unknown word: the one that was meant, or all there are. */
export const suggest = (word: string, choices: readonly string[], what: string): string => {
  const near = nearest(word, choices)
  if (near !== undefined) return `did you mean "${near}"?`
  return `${what}: ${choices.length > 0 ? choices.join(', ') : 'none'}`
}
