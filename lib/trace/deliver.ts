/** Tells of what a listener threw: as a process warning, never as an error of its statement. */
export const warnOf = (error: unknown): void =>
  process.emitWarning(error instanceof Error ? error : new Error(String(error)), {
    type: 'OctopusTraceWarning',
    detail: 'A route listener threw; the statement it was told of is not affected.',
  })

/** Calls a listener, whose errors become process warnings. */
export const deliver = (tell: () => void): void => {
  try {
    tell()
  } catch (error) {
    warnOf(error)
  }
}
