"use client";
import { useRouter } from "next/navigation";
import { pathOfMade, type ProjectPlace } from "../../paths.ts";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { ProjectTabs } from "../projects/project-frame.tsx";
import { NewServiceForm } from "../services/new-service-form.tsx";

type FirstServiceProps = {
  place: ProjectPlace;
  /** Whether it must stay though there are services meanwhile: the person is choosing, or some are still to be made. */
  onChoosing(is: boolean): void;
};

/** A project without services: one name, and the commands come next. */
export function FirstService({ place, onChoosing }: FirstServiceProps) {
  const router = useRouter();
  const open = (names: readonly string[]) => {
    onChoosing(false);
    router.push(pathOfMade(place, names));
  };
  return (
    <>
      <ProjectTabs place={place} />
      <div className="mx-auto max-w-2xl">
        <PageTitle
          title="What do you deploy first?"
          note="A service is one program of your app: a site, an API, a worker. You can add more later."
        />
        <Panel className="p-4">
          <NewServiceForm place={place} proposedName="web" onLook={() => onChoosing(true)} onCreated={open} />
        </Panel>
      </div>
    </>
  );
}
