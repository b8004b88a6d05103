import { existsSync, readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import type { Agent } from "node:http";
import { delimiter } from "node:path";
import { agentFor, type Connection, type TlsMaterial } from "./connection.ts";
import { plainConnection } from "./plain-kubeconfig.ts";

type Source =
  | { readonly kubeconfig: string; readonly context?: string | undefined }
  | { readonly kubeconfigFile: string; readonly context?: string | undefined };

/** Speaks to the current context's server, or that of the one named. */
export async function kubeconfigConnection(source: Source): Promise<Connection> {
  const plain = await plainConnection(textOf(source) ?? "", source.context);
  return plain ?? libraryConnection(source);
}

/** Of several files only the library knows what holds. */
function textOf(source: Source): string | undefined {
  if ("kubeconfig" in source) return source.kubeconfig;
  const [file, ...others] = source.kubeconfigFile.split(delimiter).filter(Boolean);
  return file !== undefined && others.length === 0 && existsSync(file)
    ? readFileSync(file, "utf8")
    : undefined;
}

/**
 * Asking exec plugins, OIDC and token files is the client library's; it is loaded here and nowhere else, for it takes
 * 80 MB of memory. Its own agents are not used: they open a connection for each request and keep the certificates they
 * began with.
 */
async function libraryConnection(source: Source): Promise<Connection> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if ("kubeconfig" in source) config.loadFromString(source.kubeconfig);
  else
    for (const [at, file] of source.kubeconfigFile.split(delimiter).filter(Boolean).entries()) {
      const part = at === 0 ? config : new KubeConfig();
      part.loadFromFile(file);
      if (part !== config) config.mergeConfig(part, true);
    }
  if (source.context !== undefined) config.setCurrentContext(source.context);
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new Error(
      `the kubeconfig has no cluster for its context "${config.getCurrentContext() ?? ""}": choose one with current-context`,
    );
  const url = new URL(cluster.server);
  const plain = url.protocol === "http:" ? { ...cluster, skipTLSVerify: true } : cluster;
  // The library refuses plain HTTP unless it is told that TLS does not matter.
  config.clusters = config.clusters.map((each) => (each.name === cluster.name ? plain : each));
  let [agent, material] = [undefined as Agent | undefined, ""];
  return {
    url,
    async route() {
      const options: RequestOptions = { headers: {} };
      await config.applyToHTTPSOptions(options);
      const tls = tlsOf(options);
      const now = JSON.stringify(tls);
      if (!agent || now !== material) {
        agent?.destroy();
        // A proxy is the library's business: its agent knows the way.
        agent = cluster.proxyUrl ? (options.agent as Agent) : agentFor(url, tls);
        material = now;
      }
      return { agent, headers: headersOf(options) };
    },
    [Symbol.dispose]: () => agent?.destroy(),
  };
}

const tlsOf = ({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): TlsMaterial => ({
  ca: ca as Buffer | undefined,
  cert: cert as Buffer | undefined,
  key: key as Buffer | undefined,
  rejectUnauthorized,
  servername,
});

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const named = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
  return { ...Object.fromEntries(named), ...basic };
}
