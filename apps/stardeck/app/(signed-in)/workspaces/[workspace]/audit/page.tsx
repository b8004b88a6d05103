import { AuditPage } from "../../../../../features/workspaces/audit-page.tsx";

export const metadata = { title: "Audit log" };

export default async function Page({ params }: { params: Promise<{ workspace: string }> }) {
  return <AuditPage workspace={decodeURIComponent((await params).workspace)} />;
}
