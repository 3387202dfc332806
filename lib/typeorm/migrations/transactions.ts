import type { QueryRunner } from 'typeorm'

/**
 * Does `work` in a transaction of the runner, between what the engine wants before and after migrations.
 *
 * @param work - tells whether to commit
 * @returns what it told
 */
export const inTransaction = async (
  runner: QueryRunner,
  work: () => Promise<boolean>,
): Promise<boolean> => {
  await runner.beforeMigration()
  try {
    await runner.startTransaction()
    try {
      const isWhole = await work()
      if (isWhole) await runner.commitTransaction()
      else await runner.rollbackTransaction()
      return isWhole
    } catch (error) {
      // The first error is the one to show; on a lost connection there is nothing to roll back.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined)
      throw error
    }
  } finally {
    await runner.afterMigration()
  }
}
