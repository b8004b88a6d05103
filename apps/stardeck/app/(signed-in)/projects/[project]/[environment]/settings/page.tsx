import { ProjectSettingsPage } from "../../../../../../features/projects/project-settings-page.tsx";
import { placeOf, type Params } from "../../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment"> }) {
  return <ProjectSettingsPage place={await placeOf(params)} />;
}
