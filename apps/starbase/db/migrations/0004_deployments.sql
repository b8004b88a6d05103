create table builds (
  id uuid constraint builds_pkey primary key,
  workspace_id uuid not null,
  project_id uuid not null,
  service_id uuid not null constraint builds_service_fkey references services on delete cascade,
  -- of source, build settings and variables: an equal key needs no second build
  build_key text not null,
  image text,
  image_digest text,
  size_bytes bigint,
  info jsonb not null default '{}',
  file_settings jsonb not null default '{}',
  created_at timestamptz not null,
  ended_at timestamptz
);
create index builds_key_idx on builds (service_id, build_key);

-- An immutable receipt, with the status of its way to the cluster.
create table deployments (
  id uuid constraint deployments_pkey primary key,
  workspace_id uuid not null,
  project_id uuid not null,
  service_id uuid not null,
  environment_id uuid not null,
  number integer not null,
  status text not null constraint deployments_status_check check
    (status in ('pending', 'building', 'built', 'deploying', 'deployed', 'failed', 'cancelled')),
  reason text,
  trigger text not null,
  source jsonb,
  commit jsonb,
  build_id uuid constraint deployments_build_fkey references builds on delete set null,
  image text,
  image_digest text,
  -- the settings it runs by; null until it is known
  config jsonb,
  -- every resolved variable, encrypted as one
  variables_key_id text not null,
  variables_ciphertext bytea not null,
  variable_digests jsonb not null,
  no_cache boolean not null default false,
  stages jsonb not null,
  rollback_of uuid,
  created_by text not null,
  created_at timestamptz not null,
  deploying_at timestamptz,
  ended_at timestamptz,
  revision bigint not null default 1,
  constraint deployments_service_number_key unique (service_id, environment_id, number),
  constraint deployments_service_fkey foreign key (service_id, environment_id)
    references service_environments (service_id, environment_id) on delete cascade
);
create index deployments_service_idx on deployments (service_id, environment_id, id);
create index deployments_open_idx on deployments (status, created_at)
  where status in ('pending', 'building', 'built', 'deploying');

create table cron_runs (
  run_id text constraint cron_runs_pkey primary key,
  service_id uuid not null,
  environment_id uuid not null,
  scheduled_for timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  outcome text not null,
  reason text,
  constraint cron_runs_service_fkey foreign key (service_id, environment_id)
    references service_environments (service_id, environment_id) on delete cascade
);
create index cron_runs_service_idx on cron_runs (service_id, environment_id, scheduled_for);
