-- A run that is over and that nobody saw end is neither of those that were.
alter table cron_runs add constraint cron_runs_outcome_check
  check (outcome in ('running', 'succeeded', 'failed', 'skipped', 'unknown'));
-- Each report of a cron asks for them, of a history that only grows.
create index cron_runs_running_idx on cron_runs (service_id, environment_id) where outcome = 'running';
