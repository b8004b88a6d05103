"use client";
import { createToken, getMe } from "@starform/contract/identity";
import { listProjects } from "@starform/contract/projects";
import { useState } from "react";
import { useChange, useRoute } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { CommandLine } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { ErrorNotice } from "../../ui/states.tsx";

export function NewTokenDialog({ onClose }: { onClose(): void }) {
  const me = useRoute(getMe, {});
  const workspaces = me.data?.workspaces ?? [];
  const [name, setName] = useState("");
  const [chosen, setWorkspace] = useState<string>();
  const workspace = chosen ?? workspaces[0]?.slug;
  const projects = useRoute(
    listProjects,
    { query: { limit: 200, ...(workspace ? { workspace } : {}) } },
    { isEnabled: workspace !== undefined },
  );
  const [project, setProject] = useState("");
  const [scope, setScope] = useState<"read" | "write">("write");
  const [days, setDays] = useState("90");
  const create = useChange(createToken);
  if (create.data)
    return (
      <Dialog title="Your new token" onClose={onClose}>
        <div className="flex flex-col gap-3">
          <p className="text-[13px] text-ink-soft">Copy it now: it is not shown again.</p>
          <CommandLine text={create.data.secret} what="token" isShell={false} />
          <div className="flex justify-end">
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      </Dialog>
    );
  const body = {
    name: name.trim(),
    scope,
    ...(workspace ? { workspace } : {}),
    ...(project ? { project } : {}),
    ...(days ? { expiresInDays: Number(days) } : {}),
  };
  return (
    <Dialog title="New token" onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (body.name) create.mutate({ body });
        }}
      >
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          placeholder="laptop"
          maxLength={80}
          autoFocus
        />
        {workspaces.length > 1 && (
          <SelectField
            label="Workspace"
            value={workspace}
            onChange={(event) => (setWorkspace(event.target.value), setProject(""))}
          >
            {workspaces.map(({ slug, name }) => (
              <option key={slug} value={slug}>
                {name}
              </option>
            ))}
          </SelectField>
        )}
        <SelectField label="Opens" value={project} onChange={(event) => setProject(event.target.value)}>
          <option value="">all my projects</option>
          {projects.data?.items.map(({ id, name }) => (
            <option key={id} value={id}>
              only {name}
            </option>
          ))}
        </SelectField>
        <div className="grid grid-cols-2 gap-4">
          <SelectField
            label="May"
            value={scope}
            onChange={(event) => setScope(event.target.value as "read" | "write")}
          >
            <option value="write">read and change</option>
            <option value="read">only read</option>
          </SelectField>
          <SelectField label="Expires" value={days} onChange={(event) => setDays(event.target.value)}>
            <option value="7">in 7 days</option>
            <option value="30">in 30 days</option>
            <option value="90">in 90 days</option>
            <option value="365">in a year</option>
            <option value="">never</option>
          </SelectField>
        </div>
        <ErrorNotice error={create.error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isBusy={create.isPending} disabled={!body.name}>
            Make the token
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
