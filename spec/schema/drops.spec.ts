import { expect } from 'chai'
import { doesDrop, dropsIn } from '../../lib/schema/drops.js'

const none = (): readonly string[] => []

describe('what a change of a schema loses', () => {
  for (const sql of [
    'DROP TABLE `users`',
    'ALTER TABLE "users" DROP COLUMN "name"',
    'ALTER TABLE "users" DROP CONSTRAINT "x"',
    'alter table users drop foreign key x',
    'DROP TYPE "mood"',
    'DROP VIEW "v"',
  ])
    it(`is something by: ${sql}`, () => expect(doesDrop(sql)).to.equal(true))

  for (const sql of [
    'CREATE TABLE `drop` (`id` int)',
    `ALTER TABLE users ADD COLUMN note varchar(20) DEFAULT 'DROP TABLE users'`,
    'ALTER TABLE "users" ALTER COLUMN "name" DROP DEFAULT',
    'ALTER TABLE "users" ALTER COLUMN "name" DROP NOT NULL',
    'ALTER TABLE users ADD COLUMN x int -- DROP',
  ])
    it(`is nothing by: ${sql}`, () => expect(doesDrop(sql)).to.equal(false))

  it('is nothing where an index is made anew', () => {
    const drop = 'DROP INDEX "by_name"'
    expect(dropsIn([drop, 'CREATE INDEX "by_name" ON "users" ("name") '], none)).to.deep.equal([])
    expect(dropsIn([drop, 'CREATE INDEX "by_names" ON "users" ("name") '], none)).to.deep.equal([
      drop,
    ])
    // It was there before, and is gone after.
    expect(dropsIn(['CREATE INDEX "by_name" ON "users" ("name")', drop], none)).to.deep.equal([
      drop,
    ])
  })

  it('is nothing where a table is made anew with all of its columns', () => {
    const rebuilt = (columns: string): string[] => [
      'CREATE TABLE "temporary_users" ("id" integer)',
      `INSERT INTO "temporary_users"(${columns}) SELECT ${columns} FROM "users"`,
      'DROP TABLE "users"',
      'ALTER TABLE "temporary_users" RENAME TO "users"',
    ]
    const columnsOf = (): readonly string[] => ['id', 'name']
    expect(dropsIn(rebuilt('"id", "name"'), columnsOf)).to.deep.equal([])
    expect(dropsIn(rebuilt('"id"'), columnsOf)).to.deep.equal(['DROP TABLE "users"'])
    expect(dropsIn(rebuilt('"id", "name"').slice(0, 3), columnsOf)).to.deep.equal([
      'DROP TABLE "users"',
    ])
  })
})
