import type { Examination } from "../examination.ts";

type Shuttle = {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly { readonly env?: readonly { name: string; value?: string }[] }[];
      };
    };
  };
};

/** What Shuttle's pod in this cluster is given as `STARFORM_<name>`. */
export async function shuttleSettings({
  kube,
  signal,
}: Examination): Promise<(name: string) => string | undefined> {
  const where = { apiVersion: "apps/v1", kind: "Deployment", namespace: "starform-system", name: "shuttle" };
  const deployment = (await kube.get(where, signal)) as Shuttle | undefined;
  const env = deployment?.spec?.template?.spec?.containers?.[0]?.env ?? [];
  return (name) => env.find((each) => each.name === `STARFORM_${name}`)?.value;
}
