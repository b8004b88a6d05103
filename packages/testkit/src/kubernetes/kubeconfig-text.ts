/** A kubeconfig for one user; JSON is YAML. */
export const kubeconfigText = (server: string, token: string, certificate?: string): string =>
  JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "fake", cluster: { server, ...trust(certificate) } }],
      users: [{ name: token, user: { token } }],
      contexts: [{ name: "fake", context: { cluster: "fake", user: token } }],
      "current-context": "fake",
    },
    undefined,
    2,
  );

const trust = (certificate: string | undefined) =>
  certificate === undefined
    ? {}
    : { "certificate-authority-data": Buffer.from(certificate).toString("base64") };
