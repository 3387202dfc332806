import type { QueryRunner } from 'typeorm'

/** How a schema is made anew somewhere else. */
export interface CopyScript {
  /** In their order. */
  readonly statements: readonly string[]
  /** What is there that these statements would not make. */
  readonly obstacles: readonly string[]
}

/** Runs statements in one transaction, so that all is done or nothing. */
export const runInTransaction = async (
  runner: QueryRunner,
  statements: readonly string[],
): Promise<void> => {
  await runner.startTransaction()
  try {
    for (const statement of statements) await runner.query(statement)
    await runner.commitTransaction()
  } catch (error) {
    await runner.rollbackTransaction()
    throw error
  }
}
