"use client";
import type { Service } from "@starform/contract/services";
import { useRouter } from "next/navigation";
import { paths, type ProjectPlace } from "../../paths.ts";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { ProjectTabs } from "../projects/project-frame.tsx";
import { NewServiceForm } from "./new-service-form.tsx";

export function NewServicePage({ place }: { place: ProjectPlace }) {
  const router = useRouter();
  const open = (service: Service) => router.push(paths.service({ ...place, service: service.name }));
  return (
    <>
      <ProjectTabs place={place} />
      <div className="mx-auto max-w-xl">
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
