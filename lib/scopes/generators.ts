import { currentFrame, enterFrame } from '../context/carrier.js'
import { type Frame, childFrame, frameOf } from '../context/frame.js'

/** What a generator function returns. */
type AnyGenerator = Generator<unknown, unknown, unknown> | AsyncGenerator<unknown, unknown, unknown>

const isGenerator = (value: object): value is AnyGenerator => {
  const tag: unknown = Object.prototype.toString.call(value)
  return tag === '[object Generator]' || tag === '[object AsyncGenerator]'
}

const steps = ['next', 'return', 'throw'] as const

/**
 * Keeps the body of a generator that a scope's work returned in that scope, wherever it is consumed:
 * it would run in the consumer's otherwise. The consumer's own code stays where it is.
 *
 * @param result - what the work returned; all but generators is returned as it is
 * @param frame - the scope
 */
export const keptInScope = <T>(result: T, frame: Frame): T => {
  if (typeof result !== 'object' || result === null || result instanceof Promise) return result
  if (!isGenerator(result)) return result
  // A generator's methods refuse any other `this`, so it is changed and not wrapped.
  for (const name of steps) {
    const step = result[name] as (...args: unknown[]) => unknown
    Object.defineProperty(result, name, {
      configurable: true,
      writable: true,
      value: (...args: unknown[]) =>
        enterFrame(watchedBy(frameOf(frame.owner, currentFrame()), frame), () =>
          step.apply(result, args),
        ),
    })
  }
  return result
}

/** The scope of a generator, for a consumer who collects what is sent. */
const watchedBy = (consumer: Frame | undefined, frame: Frame): Frame => {
  const collector = consumer?.collector
  if (collector === undefined || collector === frame.collector) return frame
  return childFrame(frame.owner, frame, frame, { label: 'generator', origin: 'library', collector })
}
