import { readFileSync } from 'node:fs'

/** A code block of a document. */
export interface Snippet {
  readonly document: string
  /** From 1, among the document's blocks of TypeScript. */
  readonly number: number
  /** Where its code begins. */
  readonly line: number
  readonly code: string
}

/** The blocks of TypeScript in a Markdown document. */
export const snippetsOf = (document: string): Snippet[] => {
  const text = readFileSync(document, 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(({ 1: code = '', index }, at) => ({
    document,
    number: at + 1,
    line: text.slice(0, index).split('\n').length + 1,
    code,
  }))
}

/** The targets of a document's links into the repository, without what follows a `#`. */
export const linksOf = (document: string): string[] =>
  [...readFileSync(document, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*/, ''))
    .filter((target) => target !== '' && !target.includes('://'))

/** The first column of a table that begins with this header, without the code marks. */
export const tableColumn = (document: string, header: string): string[] => {
  const lines = readFileSync(document, 'utf8').split('\n')
  const from = lines.findIndex((line) => line.startsWith(`| ${header}`))
  const rows = lines.slice(from + 2)
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) => line.split('|')[1]?.trim().replaceAll('`', '') ?? '')
}

/** What the documents take as given: entities, and a wrapped data source. */
export const prelude = `
import type { DataSource, Repository } from 'typeorm'
import type { ConnectionProxy } from 'typeorm-octopus'
declare global {
  class User { id: number; name: string }
  class Order { id: number; country: 'brazil' | 'canada'; isOpen: boolean; address: string }
  const db: ConnectionProxy
  const users: Repository<User>
  const user: User
  const dataSource: DataSource
  const log: { warn(what: object): void }
}
`
