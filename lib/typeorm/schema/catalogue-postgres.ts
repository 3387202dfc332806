/** What is asked of PostgreSQL's catalogues, with two parameters: the names of the schemas, and that of
 *  the shard's own. */

/** Names relations of other schemas with their schema. */
const named = (relation: string, namespace: string): string =>
  `CASE WHEN ${namespace}.nspname = $2 THEN ${relation}.relname::text ELSE ${namespace}.nspname || '.' || ${relation}.relname END`

/** The relations of the schemas, without those that extensions made. */
const relations = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY ($1)
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`

/** The names of the columns with these numbers, in their order, as an array of JSON. */
const columnNames = (numbers: string, relation: string): string =>
  `(SELECT coalesce(json_agg(a.attname ORDER BY k.at), '[]'::json) FROM unnest(${numbers}) WITH ORDINALITY k(number, at)
      JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.number)::text`

// What newer servers only have is read out of a row's JSON, so that older ones are understood too.
export const statements = {
  tables: `SELECT ${named('c', 'n')} AS table_name, c.relkind AS kind, c.relpersistence AS persistence,
      coalesce(am.amname, 'heap') AS method, array_to_string(c.reloptions, ', ') AS options,
      CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partitioned,
      pg_get_expr(c.relpartbound, c.oid) AS partition, obj_description(c.oid, 'pg_class') AS comment,
      CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition,
      c.relrowsecurity AS security
    FROM ${relations} LEFT JOIN pg_am am ON am.oid = (to_jsonb(c) ->> 'relam')::oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1`,
  columns: `SELECT ${named('c', 'n')} AS table_name, a.attname AS name,
      format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
      pg_get_expr(d.adbin, d.adrelid) AS value, to_jsonb(a) ->> 'attidentity' AS identity,
      to_jsonb(a) ->> 'attgenerated' AS generated,
      CASE WHEN a.attcollation = 0 THEN NULL WHEN a.attcollation = t.typcollation THEN 'default' ELSE l.collname::text END AS collation,
      col_description(c.oid, a.attnum) AS comment
    FROM ${relations} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1, a.attnum`,
  // NOT NULL ('n', from version 18 on) is told of the column.
  constraints: `SELECT ${named('c', 'n')} AS table_name, k.conname AS name, k.contype AS kind,
      pg_get_constraintdef(k.oid) AS definition, ${columnNames('k.conkey', 'c.oid')} AS columns,
      am.amname AS method, CASE WHEN f.oid IS NOT NULL THEN ${named('f', 'fn')} END AS other_table
    FROM ${relations} JOIN pg_constraint k ON k.conrelid = c.oid
    LEFT JOIN pg_class i ON i.oid = k.conindid LEFT JOIN pg_am am ON am.oid = i.relam
    LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
    WHERE k.contype IN ('p', 'u', 'x', 'f', 'c') ORDER BY 1, k.conname`,
  indexes: `SELECT ${named('c', 'n')} AS table_name, i.relname AS name, x.indisunique AS is_unique, am.amname AS method,
      pg_get_indexdef(i.oid) AS definition, ${columnNames('x.indkey::int2[]', 'c.oid')} AS columns
    FROM ${relations} JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_am am ON am.oid = i.relam
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY 1, i.relname`,
  triggers: `SELECT ${named('c', 'n')} AS table_name, t.tgname AS name, pg_get_triggerdef(t.oid) AS definition
    FROM ${relations} JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal ORDER BY 1, t.tgname`,
  enums: `SELECT CASE WHEN n.nspname = $2 THEN t.typname::text ELSE n.nspname || '.' || t.typname END AS name,
      string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) AS definition
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname = ANY ($1)
    JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1 ORDER BY 1`,
  // Without those that belong to a column, whose default or identity tells of them.
  sequences: `SELECT ${named('c', 'n')} AS name,
      format('%s from %s by %s, %s to %s%s', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
        s.seqmin, s.seqmax, CASE WHEN s.seqcycle THEN ', cycling' ELSE '' END) AS definition
    FROM ${relations} JOIN pg_sequence s ON s.seqrelid = c.oid
    WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
      AND d.deptype IN ('a', 'i')) ORDER BY 1`,
} as const
