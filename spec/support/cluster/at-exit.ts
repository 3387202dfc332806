import os from 'node:os'

/** In this order: a folder can be removed only after the servers that write to it are gone. */
const stages = ['servers', 'folders'] as const
type Stage = (typeof stages)[number]

const pending: Record<Stage, Set<() => void>> = { servers: new Set(), folders: new Set() }
let isHooked = false

/** Runs `action` when this process exits or is ended by a signal. Returns how to call that off. */
export function atExit(stage: Stage, action: () => void): () => void {
  hookOnce()
  pending[stage].add(action)
  return () => pending[stage].delete(action)
}

function hookOnce(): void {
  if (isHooked) return
  isHooked = true
  process.on('exit', () => {
    for (const stage of stages) for (const action of pending[stage]) attempt(action)
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + os.constants.signals[signal]))
  }
}

function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // nobody is left to tell, and the other actions must run
  }
}
