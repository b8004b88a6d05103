-- When a builder took it on; the last time, if it was begun anew.
alter table builds add column started_at timestamptz;
-- What a build usually takes is told by the last ones that made an image.
create index builds_service_times_idx on builds (service_id, ended_at desc) where image is not null and started_at is not null;
create index builds_workspace_times_idx on builds (workspace_id, ended_at desc) where image is not null and started_at is not null;
