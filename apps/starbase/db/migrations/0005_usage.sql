-- What was metered. A snapshot is counted once, whatever its fate on the way.
create table usage_snapshots (
  snapshot_id text constraint usage_snapshots_pkey primary key,
  cluster_id uuid not null,
  received_at timestamptz not null
);
create index usage_snapshots_received_idx on usage_snapshots (received_at);

create table usage_totals (
  workspace_id uuid not null,
  project_id uuid not null,
  environment text not null,
  service_id uuid not null,
  day date not null,
  pod_minutes bigint not null,
  cpu_millis_minutes numeric(30) not null,
  memory_byte_minutes numeric(40) not null,
  constraint usage_totals_pkey primary key (project_id, environment, service_id, day)
);
