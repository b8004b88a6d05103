import { MembersPage } from "../../../../../features/workspaces/members-page.tsx";

export const metadata = { title: "Members" };

export default async function Page({ params }: { params: Promise<{ workspace: string }> }) {
  return <MembersPage workspace={decodeURIComponent((await params).workspace)} />;
}
