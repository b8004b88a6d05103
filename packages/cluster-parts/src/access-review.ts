import type { KubeApi } from "@starform/kubernetes/kube-api";

export type Right = {
  readonly verb: string;
  readonly group: string;
  /** Like "pods" or "pods/log". */
  readonly resource: string;
  readonly namespace?: string;
};

/** Whether whoever we are, or the service account named, may do something, as the API server's own authorizers say. */
export async function canDo(
  kube: KubeApi,
  { verb, group, resource, namespace }: Right,
  account?: { readonly namespace: string; readonly name: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const [plain, subresource] = resource.split("/");
  const resourceAttributes = {
    verb,
    group,
    resource: plain,
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
  };
  const answer = await kube.create(
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: account ? "SubjectAccessReview" : "SelfSubjectAccessReview",
      metadata: { name: "" },
      spec: { resourceAttributes, ...(account ? subjectOf(account) : {}) },
    },
    signal,
  );
  return (answer["status"] as { allowed?: boolean } | undefined)?.allowed === true;
}

const subjectOf = ({ namespace, name }: { namespace: string; name: string }) => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
});
