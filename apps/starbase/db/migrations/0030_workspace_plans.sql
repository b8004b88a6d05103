-- What a workspace may use. Those of before were made by the owners of their machines, who limit nobody but themselves.
alter table workspaces add column plan text not null default 'scale'
  constraint workspaces_plan_check check (plan in ('trial', 'hobby', 'pro', 'scale'));
alter table workspaces alter column plan drop default;
