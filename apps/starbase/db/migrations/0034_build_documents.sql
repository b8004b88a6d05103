-- What a build says of its image: the text is kept as it was signed for by its digest.
create table build_documents (
  build_id uuid not null constraint build_documents_build_fkey references builds on delete cascade,
  kind text not null constraint build_documents_kind_check check (kind in ('sbom', 'provenance')),
  media_type text not null,
  digest text not null,
  body text not null,
  created_at timestamptz not null,
  constraint build_documents_pkey primary key (build_id, kind)
);
