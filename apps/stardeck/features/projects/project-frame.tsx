"use client";
import { getProject } from "@starform/contract/projects";
import { isFault } from "@starform/std/fault";
import Link from "next/link";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { useProjectChanges } from "../../api/use-project-changes.ts";
import { useRoute } from "../../api/queries.ts";
import { paths, type ProjectPlace } from "../../paths.ts";
import { buttonClass } from "../../ui/button.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, sentence } from "../../ui/states.tsx";
import { TabBar, tabClass } from "../../ui/tab-bar.tsx";

/** What all pages of a project share: it exists, it is kept up to date, and its rooms are one click away. */
export function ProjectFrame({ place, children }: { place: ProjectPlace; children: ReactNode }) {
  const project = useRoute(getProject, { params: { project: place.project } });
  const { isConnected } = useProjectChanges(place.project);
  if (isFault(project.error, "not_found"))
    return (
      <Panel>
        <Empty
          title="Project not found"
          action={
            <Link href={paths.projects()} className={buttonClass()}>
              All projects
            </Link>
          }
        >
          {sentence(project.error)}
        </Empty>
      </Panel>
    );
  return (
    <>
      {!isConnected && (
        <p
          role="status"
          className="mb-4 rounded-md border border-warn/40 bg-warn/5 px-3 py-2 text-[13px] text-warn"
        >
          The platform cannot be reached. What you see may be out of date; it is tried again by itself.
        </p>
      )}
      <ErrorNotice
        // That it cannot be reached is said above.
        error={isFault(project.error, "unavailable") ? undefined : project.error}
        onRetry={() => void project.refetch()}
        className="mb-4"
      />
      {children}
    </>
  );
}

/** The rooms of a project; a service has its own. */
export function ProjectTabs({ place }: { place: ProjectPlace }) {
  const pathname = usePathname();
  const tabs = [
    ["Services", paths.project(place)],
    ["Var groups", paths.varGroups(place)],
    ["Settings", paths.projectSettings(place)],
  ] as const;
  return (
    <div className="mb-5">
      <TabBar label="Project">
        {tabs.map(([word, href]) => (
          <Link
            key={href}
            href={href}
            aria-current={pathname === href ? "page" : undefined}
            className={tabClass(pathname === href)}
          >
            {word}
          </Link>
        ))}
      </TabBar>
    </div>
  );
}
