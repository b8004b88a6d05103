import { ServiceSettingsPage } from "../../../../../../../../features/settings/service-settings-page.tsx";
import { placeOf, type Params } from "../../../../../../../../features/shell/place-of.ts";

export default async function Page({ params }: { params: Params<"project" | "environment" | "service"> }) {
  return <ServiceSettingsPage place={await placeOf(params)} />;
}
