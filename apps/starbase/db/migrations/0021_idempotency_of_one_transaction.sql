-- A record is written in the transaction of the work it stands for, so one without an answer stands for nothing.
delete from idempotency_keys where status is null;
alter table idempotency_keys alter column status set not null;
alter table idempotency_keys alter column response set not null;
