-- Deployments whose builds wait or run. A builder claims the next by the order of core/builds/fair-order.ts.
create table build_queue (
  deployment_id uuid constraint build_queue_pkey primary key
    constraint build_queue_deployment_fkey references deployments on delete cascade,
  workspace_id uuid not null,
  service_id uuid not null,
  environment_id uuid not null,
  -- a push that replaces a waiting one keeps its place in line
  enqueued_at timestamptz not null,
  ready_at timestamptz not null,
  -- of the job that builds it; null while it waits
  ticket uuid constraint build_queue_ticket_key unique,
  claimed_at timestamptz,
  constraint build_queue_claim_check check ((ticket is null) = (claimed_at is null))
);

-- What waited or ran when the queue came.
insert into build_queue (deployment_id, workspace_id, service_id, environment_id, enqueued_at, ready_at)
select id, workspace_id, service_id, environment_id, created_at, created_at
from deployments where status in ('pending', 'building') and source is not null and build_id is not null;
