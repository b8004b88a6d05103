import { NewServicePage } from "../../../../../../features/services/new-service-page.tsx";
import { placeOf, type Params } from "../../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment"> }) {
  return <NewServicePage place={await placeOf(params)} />;
}
