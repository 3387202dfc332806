import { inspect } from 'node:util'
import { expect } from 'chai'
import { createMarks } from '../../lib/typeorm/marks.js'

describe('marks on objects', () => {
  it('are read back, and replaced', () => {
    const marks = createMarks<string>()
    const object = { id: 1 }
    expect(marks.get(object)).to.equal(undefined)
    marks.set(object, 'brazil')
    marks.set(object, 'canada')
    expect(marks.get(object)).to.equal('canada')
  })

  it('are of one set of marks only', () => {
    const [first, second] = [createMarks<string>(), createMarks<string>()]
    const object = {}
    first.set(object, 'brazil')
    expect(second.get(object)).to.equal(undefined)
  })

  it('reach objects that take no more properties', () => {
    const marks = createMarks<string>()
    for (const object of [Object.freeze({}), Object.seal({}), Object.preventExtensions({})]) {
      marks.set(object, 'brazil')
      expect(marks.get(object)).to.equal('brazil')
    }
    const later = {}
    marks.set(later, 'brazil')
    marks.set(Object.freeze(later), 'canada')
    expect(marks.get(later)).to.equal('canada')
  })

  it('are seen by nobody, and in no copy', () => {
    const marks = createMarks<string>()
    class Entity {
      id = 1
    }
    const object = new Entity()
    marks.set(object, 'brazil')
    expect(Reflect.ownKeys(object)).to.deep.equal(['id'])
    expect(JSON.stringify(object)).to.equal('{"id":1}')
    expect(inspect(object, { showHidden: true })).to.equal('Entity { id: 1 }')
    expect(object).to.deep.equal(new Entity())
    const copies = [
      Object.assign(new Entity(), object),
      structuredClone(object),
      Object.create(object) as object,
    ]
    expect(copies.map((copy) => marks.get(copy))).to.deep.equal([undefined, undefined, undefined])
  })
})
