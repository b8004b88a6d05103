-- Heads of the built-in repositories that were handed on to a deployment, or are about to be (settled_at is null).
create table git_heads (
  service_id uuid not null constraint git_heads_service_fkey references services on delete cascade,
  ref text not null,
  sha text not null,
  seen_at timestamptz not null,
  settled_at timestamptz,
  constraint git_heads_pkey primary key (service_id, ref)
);
create index git_heads_open_idx on git_heads (seen_at) where settled_at is null;
