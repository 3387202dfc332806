export const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const stored = 'octopus-inspector-theme'

const isTheme = (value: unknown): value is Theme => (themes as readonly unknown[]).includes(value)

/** The theme that was chosen in this browser before. */
export const chosenTheme = (): Theme => {
  const theme = localStorage.getItem(stored)
  return isTheme(theme) ? theme : 'auto'
}

export const chooseTheme = (theme: Theme): void => {
  document.documentElement.dataset['theme'] = theme
  localStorage.setItem(stored, theme)
}

export const themeAfter = (theme: Theme): Theme =>
  themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto'
