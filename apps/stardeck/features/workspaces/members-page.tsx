"use client";
import { getMe } from "@starform/contract/identity";
import { workspaceCan, workspaceRoles, type WorkspaceRole } from "@starform/contract/permissions";
import { deleteMember, listMembers, putMember } from "@starform/contract/workspaces";
import { useState } from "react";
import { useChange, useList, useRoute } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { inputClass } from "../../ui/field.tsx";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { ErrorNotice, Skeleton } from "../../ui/states.tsx";

/** Who belongs to a workspace, and as what. */
export function MembersPage({ workspace }: { workspace: string }) {
  const me = useRoute(getMe, {});
  const members = useList(listMembers, { params: { workspace } });
  const [removing, setRemoving] = useState<string>();
  const put = useChange(putMember);
  const remove = useChange(deleteMember, () => setRemoving(undefined));
  const own = me.data?.workspaces.find(({ slug }) => slug === workspace);
  const canWrite = own ? workspaceCan(own.role, "members.write") : false;
  return (
    <>
      <PageTitle title="Members" note={own?.name ?? workspace} />
      <ErrorNotice error={members.error} onRetry={() => void members.refetch()} className="mb-4" />
      <ErrorNotice error={put.error} className="mb-4" />
      {!members.error && (
        <Panel>
          {canWrite && <AddMember workspace={workspace} />}
          {members.isPending && <Skeleton rows={2} rowClassName="h-14" />}
          <ul className="divide-y divide-line">
            {members.data?.map(({ userId, email, name, role }) => (
              <li key={userId} className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
                <div className="min-w-0 flex-1">
                  <p className="truncate font-medium">
                    {name || email}{" "}
                    {userId === me.data?.user.id && <span className="font-normal text-ink-faint">(you)</span>}
                  </p>
                  <p className="truncate text-xs text-ink-soft">{email}</p>
                </div>
                {canWrite ? (
                  <>
                    <RoleSelect
                      label={`Role of ${email}`}
                      value={role}
                      isDisabled={put.isPending}
                      onChange={(next) => put.mutate({ params: { workspace, email }, body: { role: next } })}
                    />
                    <Button size="small" look="quiet" onClick={() => setRemoving(email)}>
                      Remove
                    </Button>
                  </>
                ) : (
                  <span className="text-xs text-ink-soft">{role}</span>
                )}
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {removing && (
        <Confirm
          title={`Remove ${removing}`}
          action="Remove"
          isDangerous
          isBusy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate({ params: { workspace, email: removing } })}
          onClose={() => setRemoving(undefined)}
        >
          Their tokens for this workspace are revoked at once.
        </Confirm>
      )}
    </>
  );
}

type RoleSelectProps = {
  label: string;
  value: WorkspaceRole;
  isDisabled?: boolean;
  onChange(role: WorkspaceRole): void;
};
const RoleSelect = ({ label, value, isDisabled = false, onChange }: RoleSelectProps) => (
  <select
    aria-label={label}
    value={value}
    disabled={isDisabled}
    onChange={(event) => onChange(event.target.value as WorkspaceRole)}
    className={`${inputClass} max-w-28`}
  >
    {workspaceRoles.map((role) => (
      <option key={role}>{role}</option>
    ))}
  </select>
);

function AddMember({ workspace }: { workspace: string }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<WorkspaceRole>("member");
  const add = useChange(putMember, () => setEmail(""));
  return (
    <form
      className="flex flex-wrap items-center gap-2 border-b border-line bg-raised/40 p-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (email) add.mutate({ params: { workspace, email: email.trim() }, body: { role } });
      }}
    >
      <input
        type="email"
        aria-label="E-mail of the new member"
        placeholder="name@example.com"
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        className={`${inputClass} min-w-40 flex-1`}
      />
      <RoleSelect label="Role of the new member" value={role} onChange={setRole} />
      <Button type="submit" isBusy={add.isPending} disabled={!email}>
        Add
      </Button>
      <ErrorNotice error={add.error} className="w-full" />
    </form>
  );
}
