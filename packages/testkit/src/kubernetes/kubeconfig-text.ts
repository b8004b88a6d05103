/** A kubeconfig for one user; JSON is YAML. */
export const kubeconfigText = (server: string, token: string): string =>
  JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "fake", cluster: { server } }],
      users: [{ name: token, user: { token } }],
      contexts: [{ name: "fake", context: { cluster: "fake", user: token } }],
      "current-context": "fake",
    },
    undefined,
    2,
  );
