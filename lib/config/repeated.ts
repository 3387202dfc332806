/** The indexes of items that stand in a list a second time. */
export const repeatedIn = (items: readonly unknown[]): number[] =>
  items.flatMap((item, index) => (item !== undefined && items.indexOf(item) < index ? [index] : []))
