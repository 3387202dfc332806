/** What is asked of the catalogues of MySQL and MariaDB: `database` as it is, all else with one parameter,
 *  the names of the databases. */

const isIn = (column: string): string => `${column} IN (?)`

/** MySQL's checks do not say their table; MariaDB's do. MySQL before 8.0.16 has none. */
export const checksOf = {
  mysql: `SELECT t.TABLE_SCHEMA AS table_schema, t.TABLE_NAME AS table_name, c.CONSTRAINT_NAME AS name,
      c.CHECK_CLAUSE AS definition
    FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t
      ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME
      AND t.CONSTRAINT_TYPE = 'CHECK'
    WHERE ${isIn('t.TABLE_SCHEMA')} ORDER BY t.TABLE_NAME, c.CONSTRAINT_NAME`,
  mariadb: `SELECT CONSTRAINT_SCHEMA AS table_schema, TABLE_NAME AS table_name, CONSTRAINT_NAME AS name,
      CHECK_CLAUSE AS definition
    FROM information_schema.CHECK_CONSTRAINTS
    WHERE ${isIn('CONSTRAINT_SCHEMA')} ORDER BY TABLE_NAME, CONSTRAINT_NAME`,
} as const

export const statements = {
  database: `SELECT DATABASE() AS name, VERSION() AS version,
      (SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()) AS collation,
      (SELECT COUNT(*) FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = 'CHECK_CONSTRAINTS') AS has_checks`,
  tables: `SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, TABLE_TYPE AS type, ENGINE AS engine,
      TABLE_COLLATION AS collation, CREATE_OPTIONS AS options, TABLE_COMMENT AS comment
    FROM information_schema.TABLES WHERE ${isIn('TABLE_SCHEMA')} ORDER BY TABLE_NAME`,
  views: `SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, VIEW_DEFINITION AS definition
    FROM information_schema.VIEWS WHERE ${isIn('TABLE_SCHEMA')}`,
  columns: `SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, COLUMN_NAME AS name, COLUMN_TYPE AS type,
      IS_NULLABLE AS nullable, COLUMN_DEFAULT AS value, EXTRA AS extra,
      GENERATION_EXPRESSION AS expression, COLLATION_NAME AS collation, COLUMN_COMMENT AS comment
    FROM information_schema.COLUMNS WHERE ${isIn('TABLE_SCHEMA')}
    ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  // All columns: those that tell of expressions and of unused indexes differ between the servers.
  indexes: `SELECT s.*, s.TABLE_SCHEMA AS table_schema, s.TABLE_NAME AS table_name
    FROM information_schema.STATISTICS s
    WHERE ${isIn('s.TABLE_SCHEMA')} ORDER BY s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX`,
  foreignKeys: `SELECT k.TABLE_SCHEMA AS table_schema, k.TABLE_NAME AS table_name, k.CONSTRAINT_NAME AS name,
      k.COLUMN_NAME AS column_name, k.REFERENCED_TABLE_SCHEMA AS other_schema,
      k.REFERENCED_TABLE_NAME AS other_table, k.REFERENCED_COLUMN_NAME AS other_column,
      r.DELETE_RULE AS on_delete, r.UPDATE_RULE AS on_update
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
      AND r.TABLE_NAME = k.TABLE_NAME
    WHERE ${isIn('k.TABLE_SCHEMA')} AND k.REFERENCED_TABLE_NAME IS NOT NULL
    ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`,
  triggers: `SELECT EVENT_OBJECT_SCHEMA AS table_schema, EVENT_OBJECT_TABLE AS table_name, TRIGGER_NAME AS name,
      CONCAT(ACTION_TIMING, ' ', EVENT_MANIPULATION, ' ', ACTION_STATEMENT) AS definition
    FROM information_schema.TRIGGERS WHERE ${isIn('EVENT_OBJECT_SCHEMA')}
    ORDER BY EVENT_OBJECT_TABLE, TRIGGER_NAME`,
} as const
