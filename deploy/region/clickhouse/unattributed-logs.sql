-- Lines whose pod had no labels when they were read (the API server was away, or the pod was gone). No tenant can read
-- this table; an operator can, and a week is enough to find out why.
CREATE TABLE IF NOT EXISTS logs.unattributed_logs (
  ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  namespace LowCardinality(String),
  instance_id LowCardinality(String),
  stream LowCardinality(String),
  message String CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (namespace, instance_id, ts)
TTL toDateTime(ts) + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1;
