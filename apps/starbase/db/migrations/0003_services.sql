create table services (
  id uuid constraint services_pkey primary key,
  workspace_id uuid not null constraint services_workspace_fkey references workspaces on delete cascade,
  project_id uuid not null constraint services_project_fkey references projects on delete cascade,
  name text not null,
  type text not null constraint services_type_check check (type in ('web', 'worker', 'cron')),
  source jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint services_project_name_key unique (project_id, name)
);

-- A service as it stands in one environment.
create table service_environments (
  service_id uuid not null constraint service_environments_service_fkey references services on delete cascade,
  environment_id uuid not null constraint service_environments_environment_fkey references environments on delete cascade,
  settings jsonb not null,
  restart_nonce text not null default '',
  deployments_count integer not null default 0,
  -- what desired state says
  target_deployment_id uuid,
  -- what was last seen serving
  active_deployment_id uuid,
  health jsonb not null default '{}',
  health_at timestamptz,
  constraint service_environments_pkey primary key (service_id, environment_id)
);
create index service_environments_environment_idx on service_environments (environment_id);

-- A host is the address of one service in one environment of the whole installation.
create table hosts (
  hostname text constraint hosts_pkey primary key,
  service_id uuid not null,
  environment_id uuid not null,
  constraint hosts_service_fkey foreign key (service_id, environment_id)
    references service_environments (service_id, environment_id) on delete cascade,
  constraint hosts_service_key unique (service_id, environment_id)
);

create table var_groups (
  id uuid constraint var_groups_pkey primary key,
  project_id uuid not null constraint var_groups_project_fkey references projects on delete cascade,
  -- null for a service's own variables in one environment
  name text,
  service_id uuid,
  environment_id uuid,
  created_at timestamptz not null,
  constraint var_groups_project_name_key unique (project_id, name),
  constraint var_groups_service_key unique (service_id, environment_id),
  constraint var_groups_kind_check check ((name is null) = (service_id is not null and environment_id is not null)),
  constraint var_groups_service_fkey foreign key (service_id, environment_id)
    references service_environments (service_id, environment_id) on delete cascade
);

create table var_group_entries (
  var_group_id uuid not null constraint var_group_entries_group_fkey references var_groups on delete cascade,
  name text not null,
  is_secret boolean not null,
  key_id text not null,
  ciphertext bytea not null,
  -- keyed, so that it tells a change and not the value
  digest text not null,
  updated_at timestamptz not null,
  constraint var_group_entries_pkey primary key (var_group_id, name)
);

create table service_var_groups (
  service_id uuid not null,
  environment_id uuid not null,
  var_group_id uuid not null constraint service_var_groups_group_fkey references var_groups on delete restrict,
  attach_order integer not null,
  constraint service_var_groups_pkey primary key (service_id, environment_id, var_group_id),
  constraint service_var_groups_service_fkey foreign key (service_id, environment_id)
    references service_environments (service_id, environment_id) on delete cascade
);
create index service_var_groups_group_idx on service_var_groups (var_group_id);
