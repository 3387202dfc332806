export type PostgresSettings = Readonly<Record<string, string | number>>

/** Small and fast. Nothing is safe from a power cut, only from kill -9. */
export const serverSettings: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '4MB',
  dynamic_shared_memory_type: 'mmap',
  huge_pages: 'off',
  jit: 'off',
  // A standby refuses to start when one of these is lower than on its primary: all have the same.
  max_connections: 200,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_replication_slots: 10,
  max_logical_replication_workers: 0,
  wal_level: 'replica',
  wal_keep_size: '32MB',
  max_wal_size: '64MB',
  min_wal_size: '4MB',
  hot_standby: 'on',
  wal_receiver_status_interval: '1s',
  wal_sender_timeout: '10s', // a paused standby would keep its primary from stopping for a minute
  wal_retrieve_retry_interval: '100ms',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_min_messages: 'log',
  log_checkpoints: 'off',
  log_parameter_max_length: 0,
  lc_messages: 'C',
}

/** The lines of a postgresql.conf. */
export const asConfiguration = (settings: PostgresSettings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`)
    .join('')
