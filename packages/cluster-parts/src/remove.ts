import type { KindRef, KubeObject } from "@starform/kubernetes/kube-api";
import { managedByLabel, nameOf, ownSelector } from "./ownership.ts";
import {
  deleteEach,
  find,
  untilGone,
  type Removal,
  type RemovalDeps,
  type RemovalEvent,
} from "./removal-calls.ts";
import {
  byKubernetes,
  byShuttle,
  claimKind,
  definitionKind,
  foreignKinds,
  gatewayKind,
  kind,
  namespaceKind,
  ownKinds,
  shuttleKinds,
} from "./removal-kinds.ts";

/**
 * Takes away what bootstrap and Shuttle have made, in reverse: Shuttle first, or it would put everything back. Customers'
 * volumes, and the namespaces they are in, stay unless `deletesVolumes`. Level-based as bootstrap is: stopped anywhere, it is
 * started again. What is not Starform's is never touched.
 */
export async function removeCluster(
  deps: RemovalDeps,
  { deletesVolumes }: { readonly deletesVolumes: boolean },
  signal?: AbortSignal,
): Promise<void> {
  const removal = { ...deps, signal };
  await stage(removal, "Shuttle", () => removeShuttle(removal));
  await stage(removal, "the projects", () => removeProjects(removal, deletesVolumes));
  await stage(removal, "the shared Gateway and its load balancer", () => removeGateway(removal));
  await stage(removal, "the agents and controllers", () => removeAll(removal, ownKinds, ownSelector));
  await stage(removal, "the kinds", () => removeDefinitions(removal));
  await stage(removal, "the namespaces", () => removeNamespaces(removal));
}

async function stage({ tell }: Removal, name: string, work: () => Promise<number>): Promise<void> {
  tell({ stage: name, state: "removing", count: 0 });
  tell({ stage: name, state: "done", count: await work() });
}

async function removeShuttle(removal: Removal): Promise<number> {
  const at = { namespace: "starform-system" };
  const { items } = await find(removal, kind("apps/v1", "Deployment"), ownSelector, at.namespace);
  const shuttle = items.filter(({ metadata }) => metadata.name === "shuttle");
  await deleteEach(removal, shuttle, "Foreground");
  await untilGone(removal, shuttle);
  return shuttle.length;
}

/** A project whose volumes stay, or in which somebody else has something, keeps its namespace: that would go with it. */
async function removeProjects(removal: Removal, deletesVolumes: boolean): Promise<number> {
  const claims = deletesVolumes ? [] : (await find(removal, claimKind, byShuttle)).items;
  const keeping = new Set(claims.map(({ metadata }) => metadata.namespace));
  let count = 0;
  for (const each of deletesVolumes ? [...shuttleKinds, claimKind] : shuttleKinds) {
    const { items } = await find(removal, each, byShuttle);
    await deleteEach(removal, items, "Background");
    count += items.length;
  }
  const { items: spaces } = await find(removal, namespaceKind, byShuttle);
  const going: KubeObject[] = [];
  for (const space of spaces) {
    const foreign = await foreignIn(removal, space.metadata.name);
    if (foreign) removal.tell(keptFor(foreign, "the projects", `namespace ${space.metadata.name}`));
    else if (!keeping.has(space.metadata.name)) going.push(space);
  }
  await deleteEach(removal, going, "Background");
  await untilGone(removal, going);
  if (claims.length > 0)
    removal.tell({
      stage: "the projects",
      state: "kept",
      count: claims.length,
      why: `volumes in ${[...keeping].join(", ")}`,
    });
  return count + going.length;
}

/** Something in a project's namespace that neither Shuttle made nor anything that Shuttle made. */
async function foreignIn(removal: Removal, namespace: string): Promise<KubeObject | undefined> {
  for (const each of foreignKinds) {
    const { items } = await removal.kube.list(each, { namespace, metadataOnly: true }, removal.signal);
    const found = items.find(
      (item) =>
        !isStarforms(item) && !item.metadata.ownerReferences?.length && !byKubernetes.has(item.metadata.name),
    );
    if (found) return found;
  }
  return undefined;
}

const isStarforms = ({ metadata }: KubeObject): boolean =>
  ["shuttle", "bootstrap"].includes(metadata.labels?.[managedByLabel] ?? "");
const keptFor = (foreign: KubeObject, stage: string, what: string): RemovalEvent => ({
  stage,
  state: "kept",
  count: 1,
  why: `${what}: ${nameOf(foreign)} is somebody else's`,
});

/** Before its controller goes: nobody else would give the load balancer back to the cloud. */
async function removeGateway(removal: Removal): Promise<number> {
  const { items } = await find(removal, gatewayKind, byShuttle);
  await deleteEach(removal, items, "Foreground");
  await untilGone(removal, items);
  const owned = items.map(({ metadata }) => `gateway.envoyproxy.io/owning-gateway-name=${metadata.name}`);
  for (const selector of owned)
    await untilGone(removal, (await find(removal, kind("v1", "Service"), selector)).items);
  const proxies = (await find(removal, kind("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy"), byShuttle))
    .items;
  await deleteEach(removal, proxies, "Background");
  return items.length + proxies.length;
}

/** A definition goes with all objects of its kind: those of somebody else keep it. */
async function removeDefinitions(removal: Removal): Promise<number> {
  const { items } = await find(removal, definitionKind, ownSelector);
  let count = 0;
  for (const { metadata } of items) {
    const definition = await removal.kube.get({ ...definitionKind, name: metadata.name }, removal.signal);
    const used = definition && (await foreignOf(removal, definition));
    if (used) removal.tell(keptFor(used, "the kinds", metadata.name));
    else count += await deleteEach(removal, definition ? [definition] : [], "Background");
  }
  return count;
}

type Definition = {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
};

async function foreignOf(removal: Removal, definition: KubeObject): Promise<KubeObject | undefined> {
  const { group, names, versions } = (definition as unknown as Definition).spec;
  const version = versions.find(({ served }) => served)?.name;
  if (!version) return undefined;
  const of = kind(`${group}/${version}`, names.kind);
  const { items } = await removal.kube.list(of, { metadataOnly: true }, removal.signal);
  return items.find((item) => !isStarforms(item));
}

async function removeAll(removal: Removal, kinds: readonly KindRef[], selector: string): Promise<number> {
  let count = 0;
  for (const each of kinds) {
    const { items } = await find(removal, each, selector);
    count += await deleteEach(removal, items, "Background");
  }
  return count;
}

/** Last, and waited for: a namespace that still goes would refuse the next bootstrap. */
async function removeNamespaces(removal: Removal): Promise<number> {
  const { items } = await find(removal, namespaceKind, ownSelector);
  await deleteEach(removal, items, "Background");
  await untilGone(removal, items);
  return items.length;
}
