-- Which services a repository seems to hold, for the person who connects it; of a day, and made anew at will.
create table proposals (
  id uuid constraint proposals_pkey primary key,
  workspace_id uuid not null constraint proposals_workspace_fkey references workspaces on delete cascade,
  project_id uuid not null constraint proposals_project_fkey references projects on delete cascade,
  url text not null,
  -- what was asked for; null: the default branch
  ref text,
  status text not null constraint proposals_status_check check (status in ('queued', 'running', 'ready', 'failed')),
  reason text,
  hint text,
  -- branch, commit, services and notes, of one that is ready
  found jsonb,
  created_by text not null,
  created_at timestamptz not null,
  ended_at timestamptz,
  expires_at timestamptz not null
);
create index proposals_project_idx on proposals (project_id);
create index proposals_expires_idx on proposals (expires_at);
