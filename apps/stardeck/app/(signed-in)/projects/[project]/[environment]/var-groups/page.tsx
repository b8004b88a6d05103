import { VarGroupsPage } from "../../../../../../features/var-groups/var-groups-page.tsx";
import { placeOf, type Params } from "../../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment"> }) {
  return <VarGroupsPage place={await placeOf(params)} />;
}
