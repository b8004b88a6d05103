import { redirect } from "next/navigation";
import { paths } from "../../../../paths.ts";

export default async function Page({ params }: { params: Promise<{ project: string }> }): Promise<never> {
  redirect(paths.project({ project: decodeURIComponent((await params).project) }));
}
