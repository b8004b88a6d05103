/** Who a token stands for. */
export type User = { readonly name: string; readonly groups: readonly string[]; readonly uid?: string };

export const admin: User = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };

export const serviceAccountUser = (namespace: string, name: string, uid?: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  ...(uid !== undefined && { uid }),
});
