/** The least memory and disk, and the fastest start. Nothing is safe from a power cut, only from kill -9. */
const lean = {
  innodb_buffer_pool_size: '8M',
  innodb_log_file_size: '4M',
  innodb_log_buffer_size: '2M',
  innodb_flush_method: 'nosync',
  innodb_doublewrite: 0,
  innodb_use_native_aio: 0, // the kernel's limit on it is soon used up by many servers
  innodb_buffer_pool_load_at_startup: 0,
  innodb_buffer_pool_dump_at_shutdown: 0,
  innodb_read_io_threads: 1,
  innodb_write_io_threads: 2,
  innodb_purge_threads: 1,
  performance_schema: 0,
  key_buffer_size: '64K',
  aria_pagecache_buffer_size: '512K',
  table_definition_cache: 400,
  table_open_cache: 400,
  query_cache_type: 0,
  query_cache_size: 0,
} as const

/** For making the template: no binary log, so that its servers start with an empty GTID position. */
export const bootstrapSettings = { ...lean, innodb_fast_shutdown: 0, skip_log_bin: 1 } as const

export const serverSettings = {
  ...lean,
  innodb_fast_shutdown: 2,
  innodb_flush_log_at_trx_commit: 2, // a commit is in the system's cache, so it survives kill -9
  sync_binlog: 0,
  bind_address: '127.0.0.1',
  skip_name_resolve: 1,
  skip_ssl: 1,
  character_set_server: 'utf8mb4',
  max_connections: 300,
  log_warnings: 1,
  log_bin: 'binlog',
  relay_log: 'relay',
  relay_log_recovery: 1,
  log_slave_updates: 1,
  binlog_format: 'ROW',
  gtid_strict_mode: 1,
  slave_net_timeout: 10,
} as const

export const asFlags = (settings: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(settings).map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`)
