import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { clusterAccess, type AccessRule } from "../apps/shuttle/src/adapters/kubernetes/cluster-access.ts";

export const rolePath = fileURLToPath(
  new URL("../deploy/cluster/shuttle/cluster-role.yaml", import.meta.url),
);

/** The roles of Shuttle as YAML, out of its table of rights. */
export function clusterRoleYaml(table: readonly AccessRule[]): string {
  const roles = (["cluster", "own", "gateway"] as const).map((where) => {
    const rules = table.filter((rule) => rule.where === where);
    return `${heads[where]}rules:\n${rules.map(ruleYaml).join("")}`;
  });
  return `${note}${roles.join("---\n")}`;
}

const note =
  "# Written by scripts/cluster-role.ts from apps/shuttle/src/adapters/kubernetes/cluster-access.ts: change it there.\n";
const headOf = (kind: string, name: string, namespace?: string): string =>
  `apiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace ? `  namespace: ${namespace}\n` : ""}`;
const heads = {
  cluster: headOf("ClusterRole", "starform-shuttle"),
  own: headOf("Role", "shuttle", "starform-system"),
  gateway: headOf("Role", "shuttle", "envoy-gateway-system"),
};

const ruleYaml = ({ group, resources, verbs, why }: AccessRule): string =>
  [
    `  # ${why}`,
    `  - apiGroups: [${group === "" ? '""' : group}]`,
    "    resources:",
    ...resources.map((resource) => `      - ${resource}`),
    `    verbs: [${verbs.join(", ")}]`,
    "",
  ].join("\n");

if (import.meta.main) {
  writeFileSync(rolePath, clusterRoleYaml(clusterAccess));
  console.log(`wrote ${rolePath}: ${clusterAccess.length} rules`);
}
