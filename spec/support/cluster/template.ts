import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { cacheFolder, copyFolder, temporaryFolder } from './folders.js'
import type { Account } from './run-as.js'

export interface TemplateRecipe {
  /** Server and version, as in `mariadb-10.11.19`. */
  readonly name: string
  /** All that goes into the folder: a change of it makes another template. */
  readonly ingredients: readonly string[]
  readonly account: Account | undefined
  /** Fills `dataFolder` (not there yet), and leaves it as a cleanly stopped server would. */
  build(dataFolder: string, workFolder: string): void
}

/**
 * A data folder from which every server of a cluster starts, made once and kept. Processes that
 * make the same template at once do not disturb each other: it appears by one rename.
 */
export async function templateFolder(recipe: TemplateRecipe): Promise<string> {
  const parent = cacheFolder()
  const template = path.join(parent, templateName(recipe))
  if (existsSync(template)) return template
  const work = temporaryFolder('template', 1, recipe.account)
  const draft = await mkdtemp(path.join(parent, '.draft-'))
  try {
    recipe.build(path.join(work.path, 'data'), work.path)
    await copyFolder(path.join(work.path, 'data'), path.join(draft, 'data'))
    await rename(path.join(draft, 'data'), template).catch((error: unknown) => {
      if (!existsSync(template)) throw error // else another process was faster
    })
  } finally {
    work.remove()
    await rm(draft, { recursive: true, force: true })
  }
  return template
}

function templateName({ name, ingredients, account }: TemplateRecipe): string {
  const hash = createHash('sha256').update(ingredients.join('\n')).digest('hex').slice(0, 8)
  return `${name}-${account?.uid ?? process.getuid?.() ?? 'user'}-${hash}`
}
