import { agentFor, type Connection } from "./connection.ts";

type Named<Key extends string, T> = { readonly name?: string } & { readonly [key in Key]?: T };
type Cluster = {
  readonly server?: string;
  readonly "certificate-authority-data"?: string;
  readonly "tls-server-name"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
};
type User = {
  readonly token?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key-data"?: string;
};
type Kubeconfig = {
  readonly clusters?: readonly Named<"cluster", Cluster>[];
  readonly users?: readonly Named<"user", User>[];
  readonly contexts?: readonly Named<"context", { readonly cluster?: string; readonly user?: string }>[];
  readonly "current-context"?: string;
};

const clusterKeys = [
  "server",
  "certificate-authority-data",
  "tls-server-name",
  "insecure-skip-tls-verify",
  "extensions",
];
const userKeys = ["token", "client-certificate-data", "client-key-data", "extensions"];

/**
 * A connection by what the text itself holds: a certificate or a token, as control planes hand them out. Undefined for
 * all else, which the client library knows: programs to ask, files that change, proxies, and what is wrong with a text.
 */
export async function plainConnection(text: string, context?: string): Promise<Connection | undefined> {
  const config = await parsed(text);
  const wanted = context ?? config?.["current-context"];
  const { cluster: clusterName, user: userName } =
    config?.contexts?.find(({ name }) => name === wanted)?.context ?? {};
  const cluster = config?.clusters?.find(({ name }) => name === clusterName)?.cluster;
  const user = config?.users?.find(({ name }) => name === userName)?.user;
  if (!cluster?.server || !user || !has(cluster, clusterKeys) || !has(user, userKeys)) return undefined;
  const url = new URL(cluster.server);
  const agent = agentFor(url, {
    ca: decoded(cluster["certificate-authority-data"]),
    cert: decoded(user["client-certificate-data"]),
    key: decoded(user["client-key-data"]),
    servername: cluster["tls-server-name"],
    rejectUnauthorized: cluster["insecure-skip-tls-verify"] ? false : undefined,
  });
  const route = { agent, headers: user.token ? { authorization: `Bearer ${user.token}` } : {} };
  return { url, route: async () => route, [Symbol.dispose]: () => agent.destroy() };
}

/** JSON is YAML, and is read without a reader of YAML. That one would warn with the lines it doubts, secrets and all. */
async function parsed(text: string): Promise<Kubeconfig | undefined> {
  try {
    return (
      text.trimStart().startsWith("{")
        ? JSON.parse(text)
        : (await import("yaml")).parse(text, { logLevel: "error" })
    ) as Kubeconfig | undefined;
  } catch {
    return undefined;
  }
}

const has = (object: object, only: readonly string[]): boolean =>
  Object.keys(object).every((key) => only.includes(key));
const decoded = (data: string | undefined): Buffer | undefined =>
  data === undefined ? undefined : Buffer.from(data, "base64");
