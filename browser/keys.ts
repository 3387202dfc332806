import { useEffect, useRef } from 'preact/hooks'

type Keys = Readonly<Record<string, () => void>>

const typedInto = 'input, select, textarea'
/** Space presses what has the focus. */
const pressable = 'button, summary, a'

const isTaken = (event: KeyboardEvent): boolean => {
  const { target, key } = event
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true
  if (!(target instanceof Element)) return false
  if (target.matches(typedInto)) return key !== 'Escape'
  return key === ' ' && target.matches(pressable)
}

/** Calls a function for a key, where the key means nothing else. */
export const useKeys = (keys: Keys): void => {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const act = latest.current[event.key]
      if (act === undefined || isTaken(event)) return
      event.preventDefault()
      act()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [])
}
