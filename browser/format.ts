/** `0.08 ms`, `3.2 ms`, `12 ms`, `3.2 s`. */
export const duration = (ms: number): string =>
  ms >= 1000
    ? `${(ms / 1000).toFixed(1)} s`
    : ms >= 10
      ? `${Math.round(ms)} ms`
      : `${ms.toFixed(ms >= 1 || ms === 0 ? 1 : 2)} ms`

/** `14:03:07.120`, in the browser's time zone. */
export const clock = (at: number): string => {
  const date = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

const numbers = new Intl.NumberFormat('en')

/** `1,204 routes`, `1 route`. */
export const count = (value: number, noun: string, plural = `${noun}s`): string =>
  `${numbers.format(value)} ${value === 1 ? noun : plural}`

/** The value below which a share of the values lies; `sorted` is in ascending order. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
