/** How a schema is made anew somewhere else. */
export interface CopyScript {
  /** In their order. */
  readonly statements: readonly string[]
  /** What is there that these statements would not make. */
  readonly obstacles: readonly string[]
}
