import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { behaviourTable, linesOf, rowsPath, tableCells } from './behaviours-page.js'
import { bareNumber, behaviours } from './catalogue.js'
import { permuted } from './permutation.js'
import { rowFiles } from './rows/index.js'

const rows = rowFiles.flatMap(({ rows: own }) => own)
const numbers = rows.map(({ number }) => number)
const kept = behaviours.filter(({ verdict }) => verdict !== 'N').map(({ number }) => number)
const dropped = behaviours.filter(({ verdict }) => verdict === 'N').map(({ number }) => number)

describe("the catalogue of Octopus's behaviours", () => {
  it('has all examples of its specs, and its scenarios', () => {
    expect(behaviours).to.have.length(360 + 6)
  })

  it('has a row for each behaviour that is kept or adapted', () => {
    const hasRow = (number: string) => numbers.some((each) => `${each} `.startsWith(`${number} `))
    expect(kept.filter((number) => !hasRow(number))).to.deep.equal([])
  })

  it('has each row once, and none of a behaviour that is dropped or unknown', () => {
    expect(numbers.filter((number, index) => numbers.indexOf(number) < index)).to.deep.equal([])
    const known = new Set(kept.map(bareNumber))
    expect(numbers.filter((number) => !known.has(bareNumber(number)))).to.deep.equal([])
  })

  it('expects statements in every row, and others if the servers are exchanged', () => {
    for (const { number, expected } of rows) {
      const lists = Object.values(expected)
      expect(lists, number).not.to.deep.equal([])
      for (const words of lists) expect(words, number).not.to.deep.equal([])
      expect(permuted(expected), number).not.to.deep.equal(expected)
    }
  })

  it('says of each behaviour that is dropped why, in docs/from-octopus.md', () => {
    const named = tableCells(linesOf('docs/from-octopus.md')).map((cells) => cells.split('|')[1])
    const missing = dropped.filter((number) => !named.includes(bareNumber(number)))
    expect(missing).to.deep.equal([])
  })

  it('is in docs/octopus-behaviours.md as it is here, with a run in which all passed', () => {
    const page = tableCells(linesOf('docs/octopus-behaviours.md'))
    const table = tableCells(behaviourTable(() => 'pass'))
    expect(page, 'Run `npm run catalogue:table`.').to.deep.equal(table)
    for (const { file } of rowFiles)
      expect(existsSync(`${rowsPath}${file}.ts`), file).to.equal(true)
  })
})
