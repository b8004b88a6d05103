-- What a project signs in with to somebody else's registry or Git host.
create table project_credentials (
  project_id uuid not null constraint project_credentials_project_fkey references projects on delete cascade,
  kind text not null constraint project_credentials_kind_check check (kind in ('registry', 'git')),
  -- as image names and addresses write it: registry.example.com:5000
  host text not null,
  username text not null,
  key_id text not null,
  ciphertext bytea not null,
  created_by text not null,
  created_at timestamptz not null,
  constraint project_credentials_pkey primary key (project_id, kind, host)
);
