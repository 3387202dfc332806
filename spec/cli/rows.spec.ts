import { expect } from 'chai'
import { cellsOf, parameterOf, plainRows, resultOf } from '../../lib/cli/rows.js'

describe('what a statement came to', () => {
  for (const [title, value, expected] of [
    ['rows', [{ id: 1 }], { rows: [{ id: 1 }], affected: undefined }],
    ['two rows', [{ id: 1 }, { id: 2 }], { rows: [{ id: 1 }, { id: 2 }], affected: undefined }],
    ['nothing', [], { rows: [], affected: undefined }],
    ['no answer', undefined, { rows: [], affected: undefined }],
    ['mysql2’s header', { affectedRows: 3, insertId: 0 }, { rows: [], affected: 3 }],
    ['pg’s rows and count', [[{ id: 1 }], 1], { rows: [{ id: 1 }], affected: 1 }],
  ] as const)
    it(`is told by ${title}`, () => {
      expect(resultOf(value)).to.deep.equal(expected)
    })

  it('has values that JSON has', () => {
    const [row] = plainRows([{ bytes: Buffer.from([0, 255]), long: 9007199254740993n, at: null }])
    expect(row).to.deep.equal({ bytes: '0x00ff', long: '9007199254740993', at: null })
  })
})

describe('a cell', () => {
  it('shows a time, and one that is none', () => {
    const at = new Date('2026-01-02T03:04:05Z')
    expect(cellsOf([{ at }, { at: new Date('0000-00-00') }], ['at'])).to.deep.equal([
      ['2026-01-02T03:04:05.000Z'],
      ['Invalid Date'],
    ])
  })
})

describe('a parameter', () => {
  for (const [typed, value] of [
    ['12', 12],
    ['-1.5', -1.5],
    ['true', true],
    ['null', null],
    ['"12"', '12'],
    ['Ana', 'Ana'],
    ['01234', '01234'],
    ['', ''],
    ['9007199254740993', '9007199254740993'],
    ['{"a":1}', '{"a":1}'],
  ] as const)
    it(`${typed || 'that is empty'} is ${JSON.stringify(value)}`, () => {
      expect(parameterOf(typed)).to.equal(value)
    })
})
