-- Which keys what is sealed here was sealed with, as each was at its first start.
create table encryption_keys (
  id text constraint encryption_keys_pkey primary key,
  -- a keyed digest, by which the key is known again and not learnt
  fingerprint text not null,
  created_at timestamptz not null default now()
);
