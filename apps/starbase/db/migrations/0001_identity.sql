-- Who is who: people, workspaces, roles, sessions, API tokens.
create table users (
  id uuid constraint users_pkey primary key,
  email text not null constraint users_email_key unique,
  name text not null,
  created_at timestamptz not null
);

create table workspaces (
  id uuid constraint workspaces_pkey primary key,
  slug text not null constraint workspaces_slug_key unique,
  name text not null,
  created_at timestamptz not null
);

create table workspace_members (
  workspace_id uuid not null constraint workspace_members_workspace_fkey references workspaces on delete cascade,
  user_id uuid not null constraint workspace_members_user_fkey references users on delete cascade,
  role text not null constraint workspace_members_role_check check (role in ('owner', 'admin', 'billing', 'member')),
  created_at timestamptz not null,
  constraint workspace_members_pkey primary key (workspace_id, user_id)
);
create index workspace_members_user_idx on workspace_members (user_id);

create table sessions (
  id uuid constraint sessions_pkey primary key,
  user_id uuid not null constraint sessions_user_fkey references users on delete cascade,
  created_at timestamptz not null,
  revoked_at timestamptz
);

-- One row per refresh token ever handed out; a used one presented again revokes its session.
create table refresh_tokens (
  secret_hash bytea constraint refresh_tokens_pkey primary key,
  session_id uuid not null constraint refresh_tokens_session_fkey references sessions on delete cascade,
  expires_at timestamptz not null,
  used_at timestamptz
);

create table login_codes (
  secret_hash bytea constraint login_codes_pkey primary key,
  user_id uuid not null constraint login_codes_user_fkey references users on delete cascade,
  expires_at timestamptz not null,
  used_at timestamptz
);

create table idempotency_keys (
  user_id uuid not null constraint idempotency_keys_user_fkey references users on delete cascade,
  key text not null,
  request_digest text not null,
  status integer,
  response jsonb,
  created_at timestamptz not null,
  constraint idempotency_keys_pkey primary key (user_id, key)
);
create index idempotency_keys_created_idx on idempotency_keys (created_at);
