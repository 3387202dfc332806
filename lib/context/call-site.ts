/** `at work (/app/lib/file.js:12:3)` or `at /app/lib/file.js:12:3`, with the place as its group. */
const place = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()]+:\d+:\d+)\)?$/

const placeOf = (line: string): string | undefined => place.exec(line)?.[1]

/** The folder of the library, as stacks name it: two above this file. */
const ownFolder = (): string | undefined =>
  placeOf(new Error().stack?.split('\n')[1] ?? '')?.replace(/[^/\\]+[/\\][^/\\]+$/, '')

let folder: string | undefined

const isForeign = (site: string): boolean =>
  !site.startsWith('node:') && (folder === undefined || !site.startsWith(folder))

/**
 * Where the caller of the library is: the first place on the stack that is neither in the library nor in
 * Node.js, as `file:line:column`. Costs a stack.
 *
 * @returns undefined if the part of the stack that is kept has none
 */
export const callSite = (): string | undefined => {
  // Not when the module is loaded: source maps, which change the names, may be switched on later.
  folder ??= ownFolder()
  const { stack = '' } = new Error()
  return stack
    .split('\n')
    .slice(1)
    .map(placeOf)
    .find((site) => site !== undefined && isForeign(site))
}
