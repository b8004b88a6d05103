-- What was measured of a build: BuildReport of the contract.
alter table builds add column report jsonb;
