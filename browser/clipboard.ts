/** For pages that were not opened from this machine: browsers have no clipboard for them without HTTPS. */
const copyBySelection = (text: string): boolean => {
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'off-screen'
  document.body.append(area)
  area.select()
  const isDone = document.execCommand('copy')
  area.remove()
  return isDone
}

/** Puts a text into the clipboard; tells whether the browser allowed it. */
export const copyText = async (text: string): Promise<boolean> => {
  const focused = document.activeElement
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const isDone = copyBySelection(text)
    if (focused instanceof HTMLElement) focused.focus()
    return isDone
  }
}
