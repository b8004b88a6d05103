-- Who runs which build on a builder elsewhere, and which image it has: a Worker that dies must leave neither two
-- builders at one build nor two images of it.
create table build_leases (
  build_id uuid constraint build_leases_pkey primary key,
  workspace_id uuid not null,
  -- null when nobody runs it
  holder uuid,
  held_until timestamptz not null,
  -- {image, imageDigest, sizeBytes}
  image jsonb
);

-- A workspace's project at a builder's service. It outlives the workspace, so that what it names can be removed.
create table builder_projects (
  workspace_id uuid constraint builder_projects_pkey primary key,
  external_id text not null constraint builder_projects_external_key unique,
  created_at timestamptz not null
);

-- Builds at such a service that were begun and not ended yet, and are billed until they are.
create table builder_builds (
  external_id text constraint builder_builds_pkey primary key,
  token_key_id text not null,
  token_ciphertext bytea not null,
  seen_at timestamptz not null
);
