import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ClusterParameters, parametersWithoutShuttle, Region } from "@starform/cluster-parts/parameters";
import { readVersions } from "@starform/cluster-parts/parts-folder";
import { createCluster } from "@starform/contract/cluster-records";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import type { Context } from "../context.ts";
import { usageError } from "../exit-error.ts";
import { installedBefore, type Identity } from "./installed-before.ts";
import { readToken } from "./open-kubernetes.ts";

export type InstallationFlags = {
  readonly clusterId?: string;
  readonly region?: string;
  readonly tokenFile?: string;
  readonly regionFile?: string;
  readonly starbaseUrl?: string;
  readonly signingKeys?: string;
  readonly image?: readonly string[];
};
/**
 * What a cluster is installed with: what was given, else what the cluster was installed with before, else a new record of
 * Starbase's. The record is asked for by the cluster's own id, so that a repeat after a crash gets the same one.
 */
export async function parametersFor(
  context: Context,
  kube: KubeApi,
  flags: InstallationFlags,
): Promise<ClusterParameters> {
  const images = checkedImages(flags);
  const before = await installedBefore(kube);
  const region = readRegion(context, flags.regionFile);
  // Without a file the settings stay: a repeat must not take the certificate off a listener.
  const settings = flags.regionFile ? region.settings : (before?.settings ?? region.settings);
  const identity = given(context, flags, before) ?? (await newIdentity(context, kube, flags));
  const starbaseUrl = flags.starbaseUrl ?? identity.starbaseUrl ?? context.url();
  const signingKeys = flags.signingKeys ?? identity.signingKeys;
  warnOfLoopback(context, starbaseUrl);
  return parsed(ClusterParameters, "the flags", {
    clusterId: identity.clusterId,
    region: identity.region,
    token: identity.token,
    starbaseUrl,
    ...(signingKeys ? { signingKeys: signingKeys.trim().replaceAll(/\s+/g, ",") } : {}),
    ...(region.endpoints ? { endpoints: region.endpoints } : {}),
    ...(before?.logsUrl ? { logsUrl: before.logsUrl } : {}),
    settings,
    images,
  });
}

/**
 * What a cluster is brought without Shuttle, which asks Starbase for nothing. Refused where Shuttle is a pod of it already:
 * a second one would fight with it.
 */
export async function parametersWithout(
  context: Context,
  kube: KubeApi,
  flags: InstallationFlags,
): Promise<ClusterParameters> {
  const images = checkedImages(flags);
  const before = await installedBefore(kube);
  if (before)
    throw usageError(
      `this cluster has its own Shuttle, of cluster ${before.clusterId}: leave --without-shuttle out, or take it away with starform cluster remove`,
    );
  const { endpoints, settings } = readRegion(context, flags.regionFile);
  if (endpoints && !flags.clusterId)
    throw usageError(
      "whose logs and metrics are they? Name the cluster with --cluster-id, as npm start tells it",
    );
  return parametersWithoutShuttle({
    ...(flags.clusterId ? { clusterId: flags.clusterId } : {}),
    ...(flags.region ? { region: flags.region } : {}),
    ...(endpoints ? { endpoints } : {}),
    settings,
    images,
  });
}

function given(
  context: Context,
  flags: InstallationFlags,
  before: Identity | undefined,
): Identity | undefined {
  const token = flags.tokenFile ? readToken(context, flags.tokenFile) : before?.token;
  const clusterId = flags.clusterId ?? before?.clusterId;
  if (!clusterId) {
    if (flags.tokenFile) throw usageError("whose token is it? Name the cluster with --cluster-id");
    return undefined;
  }
  const isOther = before !== undefined && before.clusterId !== clusterId;
  if (!token || (isOther && !flags.tokenFile))
    throw usageError(
      `cluster ${clusterId} needs its token: --token-file (starform clusters rotate-token ${clusterId})`,
    );
  const region = flags.region ?? before?.region;
  if (!region) throw usageError("in which region is it? Add --region");
  return { ...before, clusterId, region, token };
}

async function newIdentity(
  context: Context,
  kube: KubeApi,
  { region }: InstallationFlags,
): Promise<Identity> {
  if (!region) throw usageError("this cluster is new: in which region is it? Add --region");
  const system = await kube.get({ apiVersion: "v1", kind: "Namespace", name: "kube-system" });
  const { call } = await context.api();
  const made = await call(
    createCluster,
    { body: { region } },
    { idempotencyKey: `bootstrap-${system?.metadata.uid ?? crypto.randomUUID()}` },
  );
  context.say(`${context.paint("green", "✓")} made cluster ${made.cluster.id} in ${region}`);
  return {
    clusterId: made.cluster.id,
    region,
    token: made.token,
    signingKeys: made.signingKeys ?? undefined,
  };
}

function readRegion({ host }: Context, path: string | undefined): Region {
  if (!path) return Region.parse({});
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(resolve(host.cwd, path), "utf8"));
  } catch (error) {
    throw usageError(`${path} cannot be read as JSON: ${String(error)}`);
  }
  return parsed(Region, path, content);
}

type Schema<T> = {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] };
      };
};

/** Says which value is wrong, and never the value itself: it may be a secret. */
function parsed<T>(schema: Schema<T>, where: string, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(
    ({ path, message }) => `\n  ${path.map(String).join(".")}: ${message}`,
  );
  throw usageError(`${where} cannot be used:${issues.join("")}`);
}

const Flags = ClusterParameters.pick({
  clusterId: true,
  region: true,
  starbaseUrl: true,
  images: true,
}).partial();

/** The images given, by part; a flag that cannot be used is told before anything is made of the others. */
function checkedImages({ clusterId, region, starbaseUrl, image = [] }: InstallationFlags) {
  const images = Object.fromEntries(image.map(imageOf));
  parsed(Flags, "the flags", { clusterId, region, starbaseUrl, images });
  return images;
}

function imageOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw usageError(`--image is written <part>=<reference>, not ${text}`);
  const [part, parts] = [text.slice(0, at), Object.keys(readVersions())];
  if (!parts.includes(part))
    throw usageError(`--image ${text}: there is no part ${part}, there are ${parts.join(", ")}`);
  return [part, text.slice(at + 1)];
}

function warnOfLoopback(context: Context, url: string): void {
  if (["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname))
    context.note(
      `${context.paint("yellow", "!")} ${url} is this machine's own address, which pods cannot reach: name another with --starbase-url`,
    );
}
