"use client";
import { getMe } from "@starform/contract/identity";
import { workspaceCan } from "@starform/contract/permissions";
import { listProjects, type Project } from "@starform/contract/projects";
import { listServices } from "@starform/contract/services";
import Link from "next/link";
import { useList, usePages, useRoute } from "../../api/queries.ts";
import { paths } from "../../paths.ts";
import { Button, buttonClass } from "../../ui/button.tsx";
import { count } from "../../ui/format.ts";
import { PlusIcon } from "../../ui/icons.tsx";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { saysService } from "../status-words.ts";

export function ProjectsPage() {
  const projects = usePages<Project>(listProjects, { query: { limit: 50 } });
  const me = useRoute(getMe, {});
  const items = projects.data?.pages.flatMap((page) => page.items);
  const workspaces = me.data?.workspaces ?? [];
  const canCreate = workspaces.some(({ role }) => workspaceCan(role, "projects.create"));
  const create = canCreate && (
    <Link href={paths.newProject()} className={buttonClass("primary")}>
      <PlusIcon /> New project
    </Link>
  );
  return (
    <>
      <PageTitle title="Projects" actions={items && items.length > 0 && create} />
      <ErrorNotice error={projects.error} onRetry={() => void projects.refetch()} className="mb-4" />
      {(projects.isPending || items) && (
        <Panel>
          {projects.isPending ? (
            <Skeleton rows={4} rowClassName="h-14" />
          ) : items?.length ? (
            <ul className="divide-y divide-line">
              {items.map((project) => (
                <ProjectRow key={project.id} project={project} isNamedInFull={workspaces.length > 1} />
              ))}
            </ul>
          ) : (
            <Empty title="No projects yet" action={create}>
              {canCreate
                ? "A project holds the services of one app. Make one, push a folder with code, and it answers at its own URL a moment later."
                : "You have not been added to a project yet. Ask an owner of the workspace."}
            </Empty>
          )}
        </Panel>
      )}
      {projects.hasNextPage && (
        <div className="mt-4 flex justify-center">
          <Button onClick={() => void projects.fetchNextPage()} isBusy={projects.isFetchingNextPage}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

/** Several workspaces may have a project of the same slug. */
function ProjectRow({ project, isNamedInFull }: { project: Project; isNamedInFull: boolean }) {
  const ref = isNamedInFull ? `${project.workspaceSlug}.${project.slug}` : project.slug;
  const services = useList(listServices, { params: { project: ref } });
  const items = services.data;
  return (
    <li className="relative flex min-h-14 items-center gap-4 px-4 py-2 hover:bg-raised/60">
      <div className="min-w-0 flex-1">
        <Link href={paths.project({ project: ref })} className="font-medium after:absolute after:inset-0">
          {project.name}
        </Link>
        <p className="truncate text-xs text-ink-soft">
          {isNamedInFull && `${project.workspaceSlug} · `}
          {items ? count(items.length, "service") : " "}
        </p>
      </div>
      <div className="flex flex-col items-end gap-0.5 sm:flex-row sm:items-center sm:gap-4">
        {items?.slice(0, 1).map((service) => (
          <Status key={service.id} {...saysService(items.find(isTroubled) ?? service)} />
        ))}
        <span className="text-right text-xs text-ink-faint sm:w-20">
          <When at={project.createdAt} />
        </span>
      </div>
    </li>
  );
}

const isTroubled = (service: Parameters<typeof saysService>[0]) =>
  ["bad", "warn", "busy"].includes(saysService(service).tone);
