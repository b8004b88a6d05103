import { DeploymentPage } from "../../../../../../../../../features/deployments/deployment-page.tsx";
import { placeOf, type Params } from "../../../../../../../../../features/shell/place-of.ts";

type Props = { params: Params<"project" | "environment" | "service" | "deployment"> };

export default async function Page({ params }: Props) {
  const { deployment, ...place } = await placeOf(params);
  return <DeploymentPage place={place} id={deployment} />;
}
