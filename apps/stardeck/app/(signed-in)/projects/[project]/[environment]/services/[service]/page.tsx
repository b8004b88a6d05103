import { DeploymentsPage } from "../../../../../../../features/deployments/deployments-page.tsx";
import { placeOf, type Params } from "../../../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment" | "service"> }) {
  return <DeploymentsPage place={await placeOf(params)} />;
}
