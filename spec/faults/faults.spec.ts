import { expect } from 'chai'
import { linesOf, tableCells } from '../catalogue/behaviours-page.js'
import { faultTable } from './faults-page.js'
import { faults } from './rows/index.js'
import { engineNames } from './world.js'

/** The first cells of each line of a page's table: its fault and its engine. */
const titlesOf = (lines: readonly string[]): readonly string[] =>
  tableCells(lines).map((cells) => cells.split('|').slice(1, 3).join(' on '))

describe('the fault matrix', () => {
  it('has each fault once', () => {
    const titles = faults.map(({ title }) => title)
    expect(titles).to.deep.equal([...new Set(titles)])
  })

  it('is in docs/faults.md, with figures or a reason in each cell', () => {
    const page = linesOf('docs/faults.md')
    const table = faultTable(() => undefined)
    expect(titlesOf(page), 'Run `npm run faults:table`.').to.deep.equal(titlesOf(table))
    for (const cells of tableCells(page)) expect(cells).not.to.include('not run')
  })

  it('shows no write on a replica, no statement on a wrong shard, no connection left', () => {
    const page = tableCells(linesOf('docs/faults.md')).slice(2)
    const reasons = faults.flatMap(({ without = {} }) => Object.values(without))
    const measured = page.filter((cells) => !reasons.some((reason) => cells.includes(reason)))
    expect(measured.length).to.equal(faults.length * engineNames.length - reasons.length)
    for (const cells of measured) expect(cells).to.match(/\|0\|0\|0\|$/)
  })
})
