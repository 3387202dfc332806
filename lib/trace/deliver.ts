const ofRoutes = 'A route listener threw; the statement it was told of is not affected.'

/** A warning of a type of its own: of what is an error already, Node.js takes the type from itself. */
const warningOf = (error: unknown, detail: string): Error => {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  return Object.assign(new Error(message, { cause: error }), {
    name: 'OctopusTraceWarning',
    detail,
    stack: `OctopusTraceWarning: ${stack}`,
  })
}

/** Tells of what a listener threw: as a process warning, never as an error of its statement. */
export const warnOf = (error: unknown, detail = ofRoutes): void =>
  process.emitWarning(warningOf(error, detail))

/** Calls a listener, whose errors become process warnings; also those of a promise that it returns. */
export const deliver = (tell: () => unknown, detail?: string): void => {
  try {
    const returned = tell()
    if (returned instanceof Promise) returned.catch((error: unknown) => warnOf(error, detail))
  } catch (error) {
    warnOf(error, detail)
  }
}
