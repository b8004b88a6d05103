"use client";
import { deleteProject, getProject, listProjectMembers } from "@starform/contract/projects";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useChange, useList, useRoute } from "../../api/queries.ts";
import { paths, type ProjectPlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { PageTitle, TitledPanel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { say } from "../../ui/toasts.tsx";
import { Environments } from "./environments.tsx";
import { ProjectTabs } from "./project-frame.tsx";

export function ProjectSettingsPage({ place }: { place: ProjectPlace }) {
  return (
    <>
      <ProjectTabs place={place} />
      <PageTitle title="Project settings" />
      <div className="flex flex-col gap-5">
        <Environments place={place} />
        <ProjectMembers project={place.project} />
        <DangerZone project={place.project} />
      </div>
    </>
  );
}

function ProjectMembers({ project }: { project: string }) {
  const members = useList(listProjectMembers, { params: { project } });
  return (
    <TitledPanel
      title="Members"
      note="Owners and admins of the workspace have every project. Others have what they were given here."
      isFlush
    >
      <ErrorNotice error={members.error} className="m-4" />
      {members.isPending && <Skeleton rows={2} />}
      {members.data?.length === 0 && (
        <Empty title="Nobody was added">Only owners and admins of the workspace see this project.</Empty>
      )}
      <ul className="divide-y divide-line">
        {members.data?.map(({ userId, email, name, role }) => (
          <li key={userId} className="flex min-h-11 items-center justify-between gap-3 px-4">
            <span className="truncate">
              {name} <span className="text-ink-soft">{email}</span>
            </span>
            <span className="text-xs text-ink-soft">{role}</span>
          </li>
        ))}
      </ul>
    </TitledPanel>
  );
}

function DangerZone({ project }: { project: string }) {
  const router = useRouter();
  const [isAsking, setAsking] = useState(false);
  const slug = useRoute(getProject, { params: { project } }).data?.slug ?? project;
  const remove = useChange(deleteProject, () => {
    say(`${slug} is deleted.`);
    router.push(paths.projects());
  });
  return (
    <TitledPanel title="Delete the project">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-[13px] text-ink-soft">
          Every service in every environment stops, and all that belongs to the project goes. There is no way
          back.
        </p>
        <Button look="danger" onClick={() => setAsking(true)}>
          Delete {slug}
        </Button>
      </div>
      {isAsking && (
        <Confirm
          title={`Delete ${slug}`}
          action="Delete for good"
          typed={slug}
          isDangerous
          isBusy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate({ params: { project }, query: { confirm: slug } })}
          onClose={() => setAsking(false)}
        >
          Every service in every environment stops, and all that belongs to the project goes.
        </Confirm>
      )}
    </TitledPanel>
  );
}
