"use client";
import { EnvironmentName } from "@starform/contract/names";
import {
  createEnvironment,
  deleteEnvironment,
  listEnvironments,
  updateEnvironment,
} from "@starform/contract/projects";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useChange, useList } from "../../api/queries.ts";
import { paths, type ProjectPlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { TitledPanel } from "../../ui/panel.tsx";
import { ErrorNotice, sentence, Skeleton } from "../../ui/states.tsx";
import { Tag } from "../../ui/status.tsx";

export function Environments({ place }: { place: ProjectPlace }) {
  const router = useRouter();
  const environments = useList(listEnvironments, { params: { project: place.project } });
  const [isCreating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<string>();
  const protect = useChange(updateEnvironment);
  const remove = useChange(deleteEnvironment, () => {
    if (deleting === place.environment)
      router.push(paths.projectSettings({ project: place.project, environment: "production" }));
    setDeleting(undefined);
  });
  const params = (environment: string) => ({ project: place.project, environment });
  return (
    <TitledPanel
      title="Environments"
      note="In a protected one only admins deploy and change settings."
      actions={
        <Button size="small" onClick={() => setCreating(true)}>
          New environment
        </Button>
      }
      isFlush
    >
      <ErrorNotice error={environments.error ?? protect.error} className="m-4" />
      {environments.isPending && <Skeleton rows={2} />}
      <ul className="divide-y divide-line">
        {environments.data?.map(({ name, isProtected, isEphemeral }) => (
          <li key={name} className="flex min-h-11 flex-wrap items-center gap-2 px-4 py-1">
            <span className="font-medium">{name}</span>
            {isProtected && <Tag>protected</Tag>}
            {isEphemeral && <Tag>preview</Tag>}
            <span className="ml-auto flex gap-1">
              <Button
                size="small"
                look="quiet"
                disabled={protect.isPending}
                onClick={() => protect.mutate({ params: params(name), body: { isProtected: !isProtected } })}
              >
                {isProtected ? "Lift protection" : "Protect"}
              </Button>
              <Button
                size="small"
                look="quiet"
                onClick={() => setDeleting(name)}
                disabled={environments.data.length === 1}
              >
                Delete
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {isCreating && (
        <CreateDialog
          place={place}
          names={environments.data?.map(({ name }) => name) ?? []}
          onClose={() => setCreating(false)}
        />
      )}
      {deleting && (
        <Confirm
          title={`Delete ${deleting}`}
          action="Delete for good"
          typed={deleting}
          isDangerous
          isBusy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate({ params: params(deleting) })}
          onClose={() => setDeleting(undefined)}
        >
          Everything that runs in it stops, and its variables and settings go.
        </Confirm>
      )}
    </TitledPanel>
  );
}

function CreateDialog({
  place,
  names,
  onClose,
}: {
  place: ProjectPlace;
  names: readonly string[];
  onClose(): void;
}) {
  const [name, setName] = useState("");
  const [from, setFrom] = useState(place.environment);
  const problem = name ? EnvironmentName.safeParse(name).error?.issues[0]?.message : undefined;
  const create = useChange(createEnvironment, onClose);
  return (
    <Dialog title="New environment" onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (name && !problem)
            create.mutate({ params: { project: place.project }, body: { name, ...(from ? { from } : {}) } });
        }}
      >
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          placeholder="staging"
          autoFocus
          error={problem && sentence(new Error(problem))}
        />
        <SelectField
          label="Begin with the settings and variables of"
          value={from}
          onChange={(event) => setFrom(event.target.value)}
        >
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
          <option value="">none</option>
        </SelectField>
        <ErrorNotice error={create.error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            isBusy={create.isPending}
            disabled={!name || problem !== undefined}
          >
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
