"use client";
import { useRouter } from "next/navigation";
import { paths, type ProjectPlace } from "../../paths.ts";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { ProjectTabs } from "../projects/project-frame.tsx";
import { NewServiceForm } from "../services/new-service-form.tsx";

/** A project without services: one name, and the commands come next. */
export function FirstService({ place }: { place: ProjectPlace }) {
  const router = useRouter();
  return (
    <>
      <ProjectTabs place={place} />
      <div className="mx-auto max-w-xl">
        <PageTitle
          title="What do you deploy first?"
          note="A service is one program of your app: a site, an API, a worker. You can add more later."
        />
        <Panel className="p-4">
          <NewServiceForm
            place={place}
            proposedName="web"
            onCreated={({ name }) => router.push(paths.service({ ...place, service: name }))}
          />
        </Panel>
      </div>
    </>
  );
}
