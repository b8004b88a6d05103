import type { DesiredService } from "@starform/contract/clusters";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { digestOf } from "@starform/std/canonical-json";
import { keyOf, type ServiceKey } from "../../../core/service-key.ts";
import type { ManifestContext } from "../manifests/context.ts";
import { refTo } from "../manifests/manifest.ts";
import { projectManifests } from "../manifests/project-manifests.ts";
import type { ClusterView } from "../view/cluster-view.ts";
import { namespaceKind } from "../view/kinds.ts";
import { isOfCluster, labelOf } from "../view/owned-object.ts";
import { applyMemory, type Applied, type applier, type ApplyMemory } from "./applier.ts";
import { projectInventory } from "./inventory.ts";

type Project = {
  /** Services by what the project gets from each: of those that bring the same, one stands for all. */
  readonly groups: Map<string, Map<ServiceKey, DesiredService>>;
  readonly groupOf: Map<ServiceKey, string>;
  readonly memory: ApplyMemory;
  /** The turn before: what a project has once is applied by one service at a time. */
  turn: Promise<unknown>;
  settled: { readonly revision: number; readonly wanted: number } | undefined;
  wanted: number;
};
export type ProjectApplies = ReturnType<typeof projectApplies>;
type Deps = {
  readonly api: KubeApi;
  readonly view: ClusterView;
  readonly context: ManifestContext;
  readonly apply: ReturnType<typeof applier>;
};

const nothing: Applied = { writes: 0, problems: new Map(), waiting: [] };

/** What a project has once, and once for each environment: applied with any of its services. */
export function projectApplies({ api, view, context, apply }: Deps) {
  const projects = new Map<string, Project>();
  const projectOf = (namespace: string): Project => {
    const known = projects.get(namespace);
    if (known) return known;
    const project = {
      groups: new Map<string, Map<ServiceKey, DesiredService>>(),
      groupOf: new Map<ServiceKey, string>(),
      memory: applyMemory(),
      turn: Promise.resolve(),
      settled: undefined,
      wanted: 0,
    };
    projects.set(namespace, project);
    return project;
  };
  const made = new WeakMap<DesiredService, string>();
  const broughtBy = (service: DesiredService): string => {
    const known = made.get(service);
    if (known) return known;
    const brings = digestOf(projectManifests([service], context).map(({ manifest }) => manifest));
    made.set(service, brings);
    return brings;
  };
  const leave = (project: Project, key: ServiceKey): void => {
    const brings = project.groupOf.get(key);
    const group = brings === undefined ? undefined : project.groups.get(brings);
    if (brings === undefined || !group) return;
    project.groupOf.delete(key);
    group.delete(key);
    if (group.size > 0) return;
    project.groups.delete(brings);
    project.wanted += 1;
  };
  const want = (service: DesiredService): void => {
    const project = projectOf(service.namespace);
    const [key, brings] = [keyOf(service), broughtBy(service)];
    if (project.groupOf.get(key) === brings) return;
    leave(project, key);
    const group = project.groups.get(brings) ?? new Map<ServiceKey, DesiredService>();
    if (group.size === 0) project.wanted += 1;
    project.groups.set(brings, group.set(key, service));
    project.groupOf.set(key, brings);
  };
  const revisionOf = (namespace: string): number => view.space(namespace)?.revision ?? -1;

  /** A namespace that is there and not ours is somebody's, and stays as it is. */
  async function stranger(service: DesiredService, signal: AbortSignal): Promise<string | undefined> {
    const { namespace, project_id } = service;
    if (view.space(namespace)?.objects.has(refTo("Namespace", undefined, namespace))) {
      const own = view.space(namespace)?.objects.get(refTo("Namespace", undefined, namespace));
      return own?.projectId === project_id
        ? undefined
        : `the namespace ${namespace} belongs to another project of this cluster`;
    }
    const live = await api.get({ ...namespaceKind, name: namespace }, signal);
    if (!live || (isOfCluster(live, context.clusterId) && labelOf(live, "project-id") === project_id))
      return undefined;
    return `the cluster has a namespace ${namespace} already, which Starform did not make and does not touch: its operator must rename or remove it`;
  }

  async function turn(service: DesiredService, signal: AbortSignal): Promise<Applied | string> {
    const { namespace } = service;
    const project = projectOf(namespace);
    const before = { revision: revisionOf(namespace), wanted: project.wanted };
    if (project.settled?.revision === before.revision && project.settled.wanted === before.wanted)
      return nothing;
    const strange = await stranger(service, signal);
    if (strange) return strange;
    const objects = view.space(namespace)?.objects ?? new Map();
    const [space, ...rest] = projectManifests([...project.groups.values()].map(firstOf), context);
    if (!space) return nothing;
    const inventory = projectInventory(service, context, {
      wanted: [space, ...rest].map(({ manifest }) => manifest),
      objects,
    });
    const applied = await apply(
      {
        steps: [space, inventory, ...rest],
        find: (ref) => view.space(namespace)?.objects.get(ref),
        wasReady: () => true,
        memory: project.memory,
      },
      signal,
    );
    const isSettled = applied.writes === 0 && applied.problems.size === 0;
    project.settled = isSettled ? before : undefined;
    return applied;
  }

  return {
    /** That the service is wanted: what it brings into the project is applied with the next of its services. */
    want,
    /** That these are wanted, and no others. */
    wantOnly(services: readonly DesiredService[]): void {
      const wanted = new Set(services.map(keyOf));
      for (const project of projects.values())
        for (const key of project.groupOf.keys()) if (!wanted.has(key)) leave(project, key);
      services.forEach(want);
    },
    /** That the service is wanted no more. */
    unwant(service: DesiredService): void {
      const project = projects.get(service.namespace);
      if (!project) return;
      leave(project, keyOf(service));
      if (project.groupOf.size === 0) projects.delete(service.namespace);
    },
    /** Whether there is nothing to do. */
    isSettled(namespace: string): boolean {
      const project = projects.get(namespace);
      return (
        project?.settled?.revision === revisionOf(namespace) && project.settled.wanted === project.wanted
      );
    },
    drift: (namespace: string) => projects.get(namespace)?.memory.drift ?? [],
    /** Applies it, one turn after the other; a sentence says that the namespace is not to be had. */
    apply(service: DesiredService, signal: AbortSignal): Promise<Applied | string> {
      const project = projectOf(service.namespace);
      const next = project.turn.then(() => turn(service, signal));
      project.turn = next.catch(() => undefined);
      return next;
    },
  };
}

/** The same one whatever the order in which they were wanted. */
function firstOf(group: ReadonlyMap<ServiceKey, DesiredService>): DesiredService {
  let [first] = group;
  for (const each of group) if (first === undefined || each[0] < first[0]) first = each;
  if (!first) throw new Error("a group of services has at least one");
  return first[1];
}
