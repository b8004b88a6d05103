"use client";
import { VarGroupName } from "@starform/contract/names";
import { createVarGroup, listVarGroups } from "@starform/contract/variables";
import { useState } from "react";
import { useChange, useList } from "../../api/queries.ts";
import type { ProjectPlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { PlusIcon } from "../../ui/icons.tsx";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, sentence, Skeleton } from "../../ui/states.tsx";
import { ProjectTabs } from "../projects/project-frame.tsx";
import { VarGroupPanel } from "./var-group-panel.tsx";

/** Named sets of variables that several services share. */
export function VarGroupsPage({ place }: { place: ProjectPlace }) {
  const groups = useList(listVarGroups, { params: { project: place.project } });
  const [isCreating, setCreating] = useState(false);
  const create = (
    <Button look="primary" onClick={() => setCreating(true)}>
      <PlusIcon /> New var group
    </Button>
  );
  const items = groups.data;
  return (
    <>
      <ProjectTabs place={place} />
      <PageTitle
        title="Var groups"
        note="Attach a group to services, or refer to an entry of the group named shared as ${{shared.NAME}}."
        actions={items && items.length > 0 && create}
      />
      <ErrorNotice error={groups.error} onRetry={() => void groups.refetch()} className="mb-4" />
      {groups.isPending && (
        <Panel>
          <Skeleton rows={3} />
        </Panel>
      )}
      {items?.length === 0 && (
        <Panel>
          <Empty title="No var groups yet" action={create}>
            What several services need alike, say an address or a key, is written once in a group and attached
            to each of them.
          </Empty>
        </Panel>
      )}
      <div className="flex flex-col gap-5">
        {items?.map((group) => (
          <VarGroupPanel key={group.id} group={group} place={place} />
        ))}
      </div>
      {isCreating && <CreateDialog place={place} onClose={() => setCreating(false)} />}
    </>
  );
}

function CreateDialog({ place, onClose }: { place: ProjectPlace; onClose(): void }) {
  const [name, setName] = useState("");
  const problem = name ? VarGroupName.safeParse(name).error?.issues[0]?.message : undefined;
  const create = useChange(createVarGroup, onClose);
  return (
    <Dialog title="New var group" onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (name && !problem) create.mutate({ params: { project: place.project }, body: { name } });
        }}
      >
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          placeholder="shared"
          autoFocus
          error={problem && sentence(new Error(problem))}
        />
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
