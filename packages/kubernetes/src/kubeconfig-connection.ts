import { existsSync, readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import type { Agent } from "node:http";
import { delimiter, dirname } from "node:path";
import { Fault, wordsOf } from "@starform/std/fault";
import { agentFor, type Connection, type TlsMaterial } from "./connection.ts";
import { plainConnection } from "./plain-kubeconfig.ts";

type Source =
  | { readonly kubeconfig: string; readonly context?: string | undefined }
  | { readonly kubeconfigFile: string; readonly context?: string | undefined };

/** Speaks to the current context's server, or that of the one named. A Fault `invalid` says what is wrong with a file. */
export async function kubeconfigConnection({ context, ...source }: Source): Promise<Connection> {
  const parts = "kubeconfig" in source ? [{ text: source.kubeconfig }] : filesOf(source.kubeconfigFile);
  // Of several files only the library knows what holds.
  const plain = parts.length === 1 ? await plainConnection(parts[0]!.text, context) : undefined;
  return plain ?? libraryConnection(parts, context);
}

type Part = { readonly text: string; readonly file?: string };

/** Of several that are named those that are there, as kubectl does it. */
function filesOf(list: string): readonly Part[] {
  const named = list.split(delimiter).filter(Boolean);
  const there = named.filter((file) => existsSync(file));
  if (there.length === 0)
    throw new Fault(
      "invalid",
      `there is no ${named.join(" or ")}: set KUBECONFIG to the kubeconfig of the cluster, the file that its provider or administrator hands out`,
    );
  return there.map((file) => {
    try {
      return { file, text: readFileSync(file, "utf8") };
    } catch (error) {
      throw new Fault("invalid", `the kubeconfig ${file} cannot be read: ${wordsOf(error)}`, {
        cause: error,
      });
    }
  });
}

/**
 * Asking exec plugins, OIDC and token files is the client library's; it is loaded here and nowhere else, for it takes
 * 80 MB of memory. Its own agents are not used: they open a connection for each request and keep the certificates they
 * began with.
 */
async function libraryConnection(parts: readonly Part[], context: string | undefined): Promise<Connection> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  for (const [at, { text, file }] of parts.entries()) {
    const part = at === 0 ? config : new KubeConfig();
    try {
      part.loadFromString(text);
    } catch (error) {
      // Without its cause: the message of a reader of YAML quotes the lines around, which hold tokens.
      throw new Fault("invalid", `${file ?? "what was given"} is no kubeconfig: ${flawOf(error)}`);
    }
    // Paths in it are meant from where it lies.
    if (file) part.makePathsAbsolute(dirname(file));
    if (part !== config) config.mergeConfig(part, true);
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new Fault(
      "invalid",
      `the kubeconfig has no cluster for its context "${config.getCurrentContext() ?? ""}": choose another one with current-context; it has ${config.contexts.map(({ name }) => name).join(", ") || "none"}`,
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

/** What is wrong with a text and where, without a word of it: a reason, too, names the alias or tag that it met. */
function flawOf(error: unknown): string {
  const { reason, mark } = error as { readonly reason?: string; readonly mark?: { readonly line: number } };
  if (reason === undefined) return wordsOf(error);
  const words = reason.replaceAll(/ ?(?:"[^]*"|!?<[^]*>)/g, "");
  return mark ? `${words} in line ${mark.line + 1}` : words;
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
