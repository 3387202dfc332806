import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { folder as roomFolder } from './place.cjs'

/** A file of the page. */
export interface Asset {
  readonly type: string
  readonly content: Buffer
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/**
 * The page's files by the path at which they are asked for. A fixed list, so that no path of a request
 * is ever looked up in the file system.
 *
 * @throws Error if the page was not built
 */
export const readAssets = (folder = path.join(roomFolder, 'page')): ReadonlyMap<string, Asset> => {
  const assets = new Map<string, Asset>()
  for (const name of readdirSync(folder)) {
    const type = types[path.extname(name)]
    if (type === undefined) continue
    const at = name === 'index.html' ? '/' : `/${name}`
    assets.set(at, { type, content: readFileSync(path.join(folder, name)) })
  }
  return assets
}
