"use client";
import { useRouter } from "next/navigation";
import { pathOfMade, type ProjectPlace } from "../../paths.ts";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { ProjectTabs } from "../projects/project-frame.tsx";
import { NewServiceForm } from "./new-service-form.tsx";

export function NewServicePage({ place }: { place: ProjectPlace }) {
  const router = useRouter();
  const open = (names: readonly string[]) => router.push(pathOfMade(place, names));
  return (
    <>
      <ProjectTabs place={place} />
      <div className="mx-auto max-w-2xl">
        <PageTitle
          title="New service"
          note="It is there in every environment of the project, each with its own variables and settings."
        />
        <Panel className="p-4">
          <NewServiceForm place={place} proposedName="" onCreated={open} />
        </Panel>
      </div>
    </>
  );
}
