import { MetricsPage } from "../../../../../../../../features/metrics/metrics-page.tsx";
import { placeOf, type Params } from "../../../../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment" | "service"> }) {
  return <MetricsPage place={await placeOf(params)} />;
}
