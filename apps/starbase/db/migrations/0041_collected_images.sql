-- Images that were given up because nothing can be rolled back to them. Marked first, then removed from their store, so
-- that nobody takes up again what is about to go. An image that is made again loses its mark.
create table collected_images (
  image text constraint collected_images_pkey primary key,
  project_id uuid not null constraint collected_images_project_fkey references projects on delete cascade,
  service_id uuid not null constraint collected_images_service_fkey references services on delete cascade,
  reason text not null constraint collected_images_reason_check check (reason in ('age', 'size')),
  size_bytes bigint not null,
  collected_at timestamptz not null,
  -- null until its store has let it go
  removed_at timestamptz
);
create index collected_images_left_idx on collected_images (collected_at) where removed_at is null;
