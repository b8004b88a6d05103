import { LogsPage } from "../../../../../../../../features/logs/logs-page.tsx";
import { placeOf, type Params } from "../../../../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment" | "service"> }) {
  return <LogsPage place={await placeOf(params)} />;
}
