/** `one table`, `3 tables`. */
export const counted = (count: number, what: string): string =>
  count === 1 ? `one ${what}` : `${count} ${what}s`
