-- Regions and clusters first: a project is pinned to its cluster for life.
create table regions (
  id text constraint regions_pkey primary key,
  name text not null,
  cloud text not null
);

create table clusters (
  id uuid constraint clusters_pkey primary key,
  region_id text not null constraint clusters_region_fkey references regions,
  token_hash bytea not null constraint clusters_token_key unique,
  -- 'docker', 'process' or 'kubernetes'; what Shuttle said when it registered
  runtime text not null,
  lb_size_units integer not null default 1 constraint clusters_lb_check check (lb_size_units between 1 and 200),
  -- grows with every change of the desired state, under this row's lock: commit order is version order
  desired_version bigint not null default 0,
  registration jsonb not null default '{}',
  capacity jsonb not null default '{}',
  last_seen_at timestamptz,
  created_at timestamptz not null
);

create table projects (
  id uuid constraint projects_pkey primary key,
  workspace_id uuid not null constraint projects_workspace_fkey references workspaces on delete cascade,
  cluster_id uuid not null constraint projects_cluster_fkey references clusters,
  slug text not null,
  name text not null,
  namespace text not null,
  revision bigint not null default 0,
  created_at timestamptz not null,
  constraint projects_workspace_slug_key unique (workspace_id, slug),
  constraint projects_cluster_namespace_key unique (cluster_id, namespace)
);
create index projects_slug_idx on projects (slug);

create table project_members (
  project_id uuid not null constraint project_members_project_fkey references projects on delete cascade,
  user_id uuid not null constraint project_members_user_fkey references users on delete cascade,
  role text not null constraint project_members_role_check check (role in ('admin', 'developer', 'viewer')),
  created_at timestamptz not null,
  constraint project_members_pkey primary key (project_id, user_id)
);
create index project_members_user_idx on project_members (user_id);

create table environments (
  id uuid constraint environments_pkey primary key,
  project_id uuid not null constraint environments_project_fkey references projects on delete cascade,
  name text not null,
  is_protected boolean not null,
  is_ephemeral boolean not null,
  created_at timestamptz not null,
  constraint environments_project_name_key unique (project_id, name)
);

create table api_tokens (
  id uuid constraint api_tokens_pkey primary key,
  user_id uuid not null constraint api_tokens_user_fkey references users on delete cascade,
  workspace_id uuid not null constraint api_tokens_workspace_fkey references workspaces on delete cascade,
  project_id uuid constraint api_tokens_project_fkey references projects on delete cascade,
  name text not null,
  scope text not null constraint api_tokens_scope_check check (scope in ('read', 'write')),
  prefix text not null,
  secret_hash bytea not null constraint api_tokens_secret_key unique,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz
);
create index api_tokens_user_idx on api_tokens (user_id);

create table audit_log (
  id uuid constraint audit_log_pkey primary key,
  workspace_id uuid not null constraint audit_log_workspace_fkey references workspaces on delete cascade,
  project_id uuid,
  at timestamptz not null,
  event text not null,
  actor text not null,
  subject text not null,
  detail jsonb not null
);
create index audit_log_workspace_idx on audit_log (workspace_id, id);
