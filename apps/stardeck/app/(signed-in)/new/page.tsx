import { NewProjectPage } from "../../../features/projects/new-project-page.tsx";

export const metadata = { title: "New project" };

export default function Page() {
  return <NewProjectPage />;
}
