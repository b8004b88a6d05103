import { VariablesPage } from "../../../../../../../../features/variables/variables-page.tsx";
import { placeOf, type Params } from "../../../../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment" | "service"> }) {
  return <VariablesPage place={await placeOf(params)} />;
}
