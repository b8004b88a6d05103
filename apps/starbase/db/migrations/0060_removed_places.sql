-- What a cluster was told to run and should not any more: desired state says so until the cluster has the version that does.
create table removed_places (
  cluster_id uuid not null constraint removed_places_cluster_fkey references clusters on delete cascade,
  project_id uuid not null,
  service_id uuid not null,
  environment text not null,
  -- what desired state says of it, without variables
  service jsonb not null,
  -- of the desired state that says it first
  version bigint not null,
  -- the cluster has that version: the next one no longer says it
  is_seen boolean not null default false,
  constraint removed_places_pkey primary key (cluster_id, project_id, service_id, environment)
);
