import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { KubeObject } from "@starform/kubernetes/kube-api";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { parse, parseAllDocuments } from "yaml";
import { clusterRoleYaml } from "../../../../scripts/cluster-role.ts";
import { clusterAccess } from "../../src/adapters/kubernetes/cluster-access.ts";
import { gatewayNamespace } from "../../src/adapters/kubernetes/manifests/names.ts";
import { kinds, type KubeRig } from "./cluster-rig.ts";
import { openAnswering } from "./fidelity/answering.ts";

const rbac = "rbac.authorization.k8s.io";

/** A kubeconfig for the same server with a token in place of who we are there. */
function withToken(kubeconfig: string, token: string): string {
  const config = parse(kubeconfig) as {
    contexts: { name: string; context: { cluster: string } }[];
    "current-context": string;
  };
  const { context } = config.contexts.find(({ name }) => name === config["current-context"])!;
  return JSON.stringify({
    ...config,
    users: [{ name: "account", user: { token } }],
    contexts: [{ name: "account", context: { ...context, user: "account" } }],
    "current-context": "account",
  });
}

/** The API as Shuttle's own service account has it: with the roles of deploy/, under other names, and no other right. */
export async function openAccount(rig: KubeRig) {
  await using stack = new AsyncDisposableStack();
  const { api } = rig;
  const { namespace } = rig.project();
  const name = `shuttle-${randomUUID().slice(0, 8)}`;
  await api.create({ ...kinds.namespace, metadata: { name: namespace } });
  await api.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } });
  const keep = async (object: KubeObject): Promise<void> => {
    const { apiVersion, kind, metadata } = await api.create(object);
    stack.defer(async () => void (await api.delete({ apiVersion, kind, ...metadata, uid: metadata.uid! })));
  };
  for (const document of parseAllDocuments(clusterRoleYaml(clusterAccess))) {
    const role = document.toJS() as KubeObject;
    const place =
      role.kind === "ClusterRole"
        ? {}
        : { namespace: role.metadata.namespace === gatewayNamespace ? gatewayNamespace : namespace };
    await keep({ ...role, metadata: { name, ...place } });
    await keep({
      apiVersion: `${rbac}/v1`,
      kind: `${role.kind}Binding`,
      metadata: { name, ...place },
      roleRef: { apiGroup: rbac, kind: role.kind, name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    });
  }
  const kubeconfig = rig.fake?.kubeconfig() ?? readFileSync(process.env["TEST_KUBECONFIG"]!, "utf8");
  using answering = await openAnswering({ kubeconfig });
  const { status, body } = await answering.ask(
    {
      method: "POST",
      path: `/api/v1/namespaces/{ns}/serviceaccounts/${name}/token`,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
    },
    namespace,
  );
  if (status !== 201) throw new Error(`no token was given: ${JSON.stringify(body)}`);
  const { token } = (body as { status: { token: string } }).status;
  const account = stack.use(await openKubeApi({ kubeconfig: withToken(kubeconfig, token) }));
  const opened = stack.move();
  return { api: account, namespace, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
