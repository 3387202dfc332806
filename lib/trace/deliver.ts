const ofRoutes = 'A route listener threw; the statement it was told of is not affected.'

/** Tells of what a listener threw: as a process warning, never as an error of its statement. */
export const warnOf = (error: unknown, detail = ofRoutes): void =>
  process.emitWarning(error instanceof Error ? error : new Error(String(error)), {
    type: 'OctopusTraceWarning',
    detail,
  })

/** Calls a listener, whose errors become process warnings. */
export const deliver = (tell: () => void, detail?: string): void => {
  try {
    tell()
  } catch (error) {
    warnOf(error, detail)
  }
}
