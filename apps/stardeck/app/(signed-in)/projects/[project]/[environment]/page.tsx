import { ProjectPage } from "../../../../../features/projects/project-page.tsx";
import { placeOf, type Params } from "../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment"> }) {
  return <ProjectPage place={await placeOf(params)} />;
}
