import { cpus, totalmem } from 'node:os'

/** A table whose first column holds names and whose others hold figures. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** When and on what the figures were taken. */
export const circumstances = (): string => {
  const processors = cpus()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  const date = new Date().toISOString().slice(0, 10)
  return `Measured on ${date}: ${processors.length} cores (${processors[0]?.model.trim() ?? 'unknown'}), ${memoryGb} GB, Node ${process.version}.`
}
