import { userInfo, hostname } from "node:os";
import { parseArgs } from "node:util";
import {
  desiredStatePurpose,
  Divergence,
  type DesiredService,
  type DesiredState,
} from "@starform/contract/clusters";
import { Fault, wordsOf } from "@starform/std/fault";
import { verifierOf, type Verifier } from "@starform/std/signature";
import type { OperatorConfig } from "../config.ts";
import { heldAtVersion, pathOf, serviceNamed } from "../core/operator.ts";
import { leftAloneWords } from "../core/left-alone.ts";
import { overlaid } from "../core/overrides.ts";
import type { Readiness } from "../core/cluster.ts";
import { keyOf, type ServiceKey } from "../core/service-key.ts";
import { readSigned } from "../core/signed-document.ts";
import { goodState } from "../loops/desired-view.ts";
import { storesOf, type ClusterStores } from "./open-stores.ts";
import { readReadiness } from "./read-readiness.ts";

export const operatorHelp = `shuttle                                run the agent of a cluster (settings: STARFORM_*)
shuttle status [--json]                what this cluster should run, from what is kept on it, and how much of it is ready
shuttle rollback <service> <version> [--by <who>]
                                       hold a service at what an earlier version said of it
shuttle resume <service> [--by <who>]  let it go again

They need the cluster's own credentials and nothing else: Starbase may be gone. With KUBECONFIG that cluster is meant,
without it this machine (STARFORM_DATA_DIR). A service is named by its id, its name, <project>/<service> or
<project>/<environment>/<service>. That it was held back is reported to Starbase and audited, and when it was let go, each under the name of --by.`;

export type Said = { readonly text: string; readonly json: unknown };

/** Runs one of the operator's commands and answers what to print; a Fault says what is wrong and what to do. */
export async function operate(args: readonly string[], config: OperatorConfig): Promise<Said> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: "boolean" }, by: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  const [command, service, version] = positionals;
  if (values.help || command === "help") return { text: operatorHelp, json: { help: operatorHelp } };
  if (!config.signingKeys)
    console.error(
      "STARFORM_SIGNING_KEYS_FILE is not set: what is kept here is believed, though somebody may have edited it; with the file that Shuttle has, what Starbase did not sign is passed over",
    );
  await using stores = await storesOf(config, (sentence) => console.error(sentence));
  const history = await historyOf(stores, config);
  if (command === "status") return await statusOf(history, stores, config);
  const by = (values.by ?? `${userInfo().username} on ${hostname()}`).trim();
  // With another one in it, Starbase would take no report of the whole cluster.
  if (!Divergence.shape.by.min(1).safeParse(by).success)
    throw new Fault("invalid", "--by is to name who does it, in 1 to 256 characters");
  const at = new Date();
  if (command === "rollback" && service && /^\d+$/.test(version ?? "")) {
    const wanted = { service, version: Number(version), by, at };
    const override = heldAtVersion(history, (await stores.overrides.list()).overrides, wanted);
    await stores.overrides.put(override);
    const { provenance, image } = override.service;
    return {
      json: override,
      text: `${pathOf(override.service)} is held at version ${version}: deployment ${provenance.deployment_id}, image ${image}
It stays so until Starbase names another deployment for it, or: shuttle resume ${service}`,
    };
  }
  if (command === "resume" && service) return await resume(history, stores, { name: service, by, at });
  throw new Fault("invalid", `this is not a command of shuttle: ${positionals.join(" ")}\n\n${operatorHelp}`);
}

async function resume(
  history: readonly DesiredState[],
  { overrides }: ClusterStores,
  { name, by, at }: { readonly name: string; readonly by: string; readonly at: Date },
): Promise<Said> {
  const service = serviceNamed(newestOf(history), name);
  const kept = overlaid(newestOf(history), await overrides.list());
  const key = keyOf(service);
  const held = kept.held.get(key);
  if (held) await overrides.put({ ...held, let_go: { by, at: at.toISOString() } });
  // What it held is not known, so there is nothing to tell of it.
  else if (kept.unreadable.has(key)) await overrides.remove({ key });
  else throw new Fault("not_found", `${pathOf(service)} is not held back`);
  return {
    json: { key, resumed: true },
    text: `${pathOf(service)} runs what Starbase decided again: deployment ${service.provenance.deployment_id}`,
  };
}

async function statusOf(
  history: readonly DesiredState[],
  { overrides }: ClusterStores,
  config: OperatorConfig,
): Promise<Said> {
  const { state, held, unreadable } = overlaid(newestOf(history), await overrides.list());
  const seen = await readReadiness(config, state.cluster_id).catch((error: unknown) => {
    console.error(`how many instances are ready could not be read: ${wordsOf(error)}`);
    return new Map<ServiceKey, Readiness>();
  });
  const services = state.services
    .filter((service) => !service.deleted)
    .map((service) => ({
      service: pathOf(service),
      service_id: service.service_id,
      deployment_id: service.provenance.deployment_id,
      deployed_at: service.provenance.deployed_at,
      image: service.image,
      service_type: service.service_type,
      replicas: service.replicas,
      ready: seen.get(keyOf(service))?.ready ?? null,
      desired: seen.has(keyOf(service)) ? (seen.get(keyOf(service))?.desired ?? service.replicas) : null,
      held_at_version: held.get(keyOf(service))?.from_version ?? null,
      held_by: held.get(keyOf(service))?.by ?? null,
      left_alone: unreadable.has(keyOf(service)) ? leftAloneWords(service) : null,
    }));
  const versions = history.map(({ version }) => version);
  const lines = services.map((one) =>
    [
      `${one.service}  ${sayReadiness(one)}  ${one.image}  deployment ${one.deployment_id}`,
      ...(one.held_at_version === null ? [] : [`held at version ${one.held_at_version} by ${one.held_by}`]),
      ...(one.left_alone === null ? [] : [one.left_alone]),
    ].join("  "),
  );
  return {
    json: { cluster_id: state.cluster_id, version: state.version, kept_versions: versions, services },
    text: [
      `cluster ${state.cluster_id}, version ${state.version}; kept: ${versions.join(", ")}`,
      ...lines,
    ].join("\n"),
  };
}

const sayReadiness = (one: {
  readonly service_type: DesiredService["service_type"];
  readonly replicas: number;
  readonly ready: number | null;
  readonly desired: number | null;
}): string =>
  one.service_type === "cron"
    ? "cron"
    : one.ready === null
      ? `${one.replicas}x, how many are ready is not known`
      : `${one.ready}/${one.desired} ready`;

const newestOf = ([newest]: readonly DesiredState[]): DesiredState => {
  if (newest) return newest;
  throw new Fault("not_found", "no desired state is kept here yet: Shuttle has never reached Starbase");
};

/** Every kept version that verifies, newest first. */
async function historyOf(
  { desiredStore }: ClusterStores,
  { signingKeys, clusterId }: OperatorConfig,
): Promise<readonly DesiredState[]> {
  const isSigned = signingKeys ? verifierOf(signingKeys, desiredStatePurpose) : undefined;
  return (await desiredStore.load()).flatMap((sent) => {
    const state = goodState(sent, { isSigned, clusterId: clusterId ?? ownClusterId(sent, isSigned) });
    return typeof state === "string" ? [] : [state];
  });
}

function ownClusterId(sent: Parameters<typeof readSigned>[0], isSigned: Verifier | undefined): string {
  const read = readSigned(sent, isSigned);
  return read.kind === "read" ? String((read.document as { cluster_id?: unknown }).cluster_id) : "";
}
