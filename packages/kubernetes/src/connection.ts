import { readFileSync, statSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

/** How one request reaches the API server. */
export type Route = {
  readonly agent: HttpAgent;
  /** With the `authorization` of this moment. */
  readonly headers: Readonly<Record<string, string>>;
};

/** Where the API server is and who we are to it. Credentials are looked at again for each request, so they may rotate. */
export type Connection = Disposable & {
  readonly url: URL;
  route(): Promise<Route>;
};

export type KubeAccess =
  /** The text of a kubeconfig; paths in it are relative to the working directory. */
  | { readonly kubeconfig: string; readonly context?: string | undefined }
  /** Its path, or several as in `KUBECONFIG`: the first says the context. */
  | { readonly kubeconfigFile: string; readonly context?: string | undefined }
  /** The service account that Kubernetes mounts into a pod. `mount` and `server` say where, if not as in a pod. */
  | {
      readonly inCluster: true;
      readonly mount?: string | undefined;
      readonly server?: string | undefined;
    };

/** Enough for what Shuttle does at once and a watch for each kind; a server that is slow gets no more of us. */
const socketsMax = 64;
export type TlsMaterial = {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
  readonly servername?: string | undefined;
};

/** Keeps connections open between requests; the watches keep theirs by reading. */
export const agentFor = (url: URL, tls: TlsMaterial): HttpAgent => {
  const options = {
    keepAlive: true,
    keepAliveMsecs: 30_000,
    maxSockets: socketsMax,
    scheduling: "lifo",
  } as const;
  const given = Object.entries(tls).filter(([, value]) => value !== undefined && value !== null);
  const agent =
    url.protocol === "http:"
      ? new HttpAgent(options)
      : new HttpsAgent({ ...options, ...(Object.fromEntries(given) as TlsMaterial) });
  // All its connections are the same. Node's own name would be written with every certificate, for each request.
  agent.getName = () => url.host;
  return agent;
};

const accountMount = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The pod's own service account: without the client library, which would cost Shuttle 80 MB for reading two files. */
export function inClusterConnection({
  mount = accountMount,
  server = serverOfPod(),
}: {
  mount?: string | undefined;
  server?: string | undefined;
}): Connection {
  const url = new URL(server);
  const agent = agentFor(url, {
    ca: url.protocol === "https:" ? readFileSync(`${mount}/ca.crt`) : undefined,
  });
  let [token, version] = ["", ""];
  return {
    url,
    async route() {
      // Kubernetes renews a mounted token about hourly by putting another file in its place.
      const { ino, mtimeMs } = statSync(`${mount}/token`);
      if (version !== `${ino} ${mtimeMs}`)
        [token, version] = [readFileSync(`${mount}/token`, "utf8").trim(), `${ino} ${mtimeMs}`];
      return { agent, headers: { authorization: `Bearer ${token}` } };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

function serverOfPod(): string {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = process.env;
  if (!host)
    throw new Error(
      "there is no Kubernetes around this process (KUBERNETES_SERVICE_HOST is not set): give it a kubeconfig",
    );
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
