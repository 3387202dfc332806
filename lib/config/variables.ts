export type Environment = Readonly<Record<string, string | undefined>>

/** What became of a text with variables: the text, or what is wrong with it. */
export type Substitution =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly wrong: readonly string[] }

const pattern = /\$\$\{|\$\{([A-Za-z_]\w*)(:-([^}]*))?\}|\$\{/g

/** The variable's name if a text is nothing but one variable. */
export const loneVariable = (text: string): string | undefined =>
  /^\$\{([A-Za-z_]\w*)(?::-[^}]*)?\}$/.exec(text)?.[1]

/**
 * Replaces `${NAME}` and `${NAME:-default}`; the default also stands in for an empty variable, as in
 * a shell. `$${` is a literal `${`. What a variable contains is not looked at again.
 */
export const substituteVariables = (text: string, environment: Environment): Substitution => {
  const wrong: string[] = []
  const substituted = text.replace(
    pattern,
    (found: string, name?: string, hasDefault?: string, fallback?: string) => {
      if (found === '$${') return '${'
      if (name === undefined) {
        wrong.push(
          'has a "${" that begins no variable; write ${NAME} or ${NAME:-default}, or $${ for the characters themselves',
        )
        return ''
      }
      const value = Object.hasOwn(environment, name) ? environment[name] : undefined
      if (hasDefault !== undefined)
        return value === undefined || value === '' ? (fallback ?? '') : value
      if (value === undefined)
        wrong.push(
          `the environment variable ${name} is not set; set it, or give a default: \${${name}:-default}`,
        )
      return value ?? ''
    },
  )
  return wrong.length > 0 ? { ok: false, wrong } : { ok: true, text: substituted }
}
