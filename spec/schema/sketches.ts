import type {
  ColumnSnapshot,
  ForeignKeySnapshot,
  IndexSnapshot,
  SchemaSnapshot,
  TablePart,
  TableSnapshot,
} from '../../lib/schema/snapshot.js'

export const column = (
  name: string,
  type: string,
  facts: Partial<ColumnSnapshot> = {},
): ColumnSnapshot => ({
  name,
  type,
  isNullable: false,
  default: undefined,
  generation: undefined,
  collation: undefined,
  comment: undefined,
  ...facts,
})

export const index = (name: string, columns: readonly string[]): IndexSnapshot => ({
  name,
  isNamedByServer: false,
  columns,
  uniqueness: 'none',
  method: 'btree',
  definition: `(${columns.join(', ')})`,
})

export const foreignKey = (
  name: string,
  columns: readonly string[],
  referencedTable: string,
): ForeignKeySnapshot => ({
  name,
  isNamedByServer: false,
  columns,
  referencedTable,
  definition: `(${columns.join(', ')}) REFERENCES ${referencedTable} (id)`,
})

export const check = (name: string, columns: readonly string[], definition: string): TablePart => ({
  name,
  isNamedByServer: false,
  columns,
  definition,
})

export const table = (name: string, facts: Partial<TableSnapshot> = {}): TableSnapshot => ({
  name,
  type: 'table',
  engine: undefined,
  collation: undefined,
  options: undefined,
  comment: undefined,
  definition: undefined,
  columns: [],
  indexes: [],
  foreignKeys: [],
  checks: [],
  triggers: [],
  ...facts,
})

export const schema = (...tables: readonly TableSnapshot[]): SchemaSnapshot => ({
  flavour: 'mariadb',
  collation: undefined,
  tables,
  enums: [],
  sequences: [],
})
