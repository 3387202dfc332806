/** Formats a list of names for a message: `brazil, canada`, or `none`. */
export const listed = (names: readonly string[]): string =>
  names.length > 0 ? names.join(', ') : 'none'
