import { specOf, statusOf } from "../kinds/in-spec.ts";
import { ApiError } from "../model/api-error.ts";
import { asMap, asObject, asObjects, at, omit, put, type JsonObject } from "../model/json.ts";
import { withMeta, type Stored } from "../model/object.ts";
import { safeHash } from "../model/random-name.ts";
import { canonicalJson } from "../apply/path-elements.ts";
import type { Reconciling } from "./controller.ts";
import { hashLabel, revisionKey, revisionOf, sizeNotes, type Sets } from "./deployment-sets.ts";
import { noteSet, progressing } from "./deployment-progress.ts";
import { ownerOf } from "./owned.ts";

const notCopied = [
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionKey,
  "deployment.kubernetes.io/revision-history",
  "deployment.kubernetes.io/desired-replicas",
  "deployment.kubernetes.io/max-replicas",
  "deprecated.deployment.rollback.to",
];

/** The set for the deployment's template: the one that is there under the newest revision, or a new one of that size. */
export function ensureSet(
  deployment: Stored,
  { current, old }: Sets,
  context: Reconciling,
  size: number,
): void {
  const newest = Math.max(0, ...old.map(revisionOf)) + 1;
  const annotations = omit(deployment.metadata.annotations ?? {}, ...notCopied);
  if (current)
    return renew(
      { deployment, current, revision: Math.max(newest, revisionOf(current)), annotations },
      context,
    );
  const set = newSet(deployment, { revision: newest, annotations, size });
  try {
    const made = context.actor.create(set);
    context.actor.tell(deployment, {
      reason: "ScalingReplicaSet",
      message: `Scaled up replica set ${made.metadata.name} from 0 to ${size}`,
    });
    noteSet(
      deployment,
      newest,
      progressing(
        "True",
        "NewReplicaSetCreated",
        `Created new replica set ${JSON.stringify(made.metadata.name)}`,
      ),
      context,
    );
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    noteSet(
      deployment,
      newest,
      progressing(
        "False",
        "ReplicaSetCreateError",
        `Failed to create new replica set ${JSON.stringify(at(set, "metadata", "name"))}: ${error.message}`,
      ),
      context,
    );
    throw error;
  }
}

type Renewal = {
  readonly deployment: Stored;
  readonly current: Stored;
  readonly revision: number;
  readonly annotations: Readonly<Record<string, string>>;
};

/** A template that comes back, as in a rollback, gets a new revision and keeps its pods. */
function renew({ deployment, current, revision, annotations }: Renewal, context: Reconciling): void {
  const before = revisionOf(current);
  const history = current.metadata.annotations?.["deployment.kubernetes.io/revision-history"];
  const isOlder = before !== revision;
  const notes = {
    ...current.metadata.annotations,
    ...annotations,
    [revisionKey]: String(revision),
    ...(isOlder && {
      "deployment.kubernetes.io/revision-history": [history, before].filter(Boolean).join(","),
    }),
  };
  context.actor.update(current, withMeta(current, { annotations: notes }));
  const isNoted = deployment.metadata.annotations?.[revisionKey] === String(revision);
  const isTold = asObjects(statusOf(deployment)["conditions"]).some(({ type }) => type === "Progressing");
  if (isNoted && isTold && !isOlder) return;
  noteSet(
    deployment,
    revision,
    progressing(
      "True",
      "FoundNewReplicaSet",
      `Found new replica set ${JSON.stringify(current.metadata.name)}`,
    ),
    context,
  );
}

function newSet(
  deployment: Stored,
  {
    revision,
    annotations,
    size,
  }: { revision: number; annotations: Readonly<Record<string, string>>; size: number },
): JsonObject {
  const template = asObject(specOf(deployment)["template"]);
  const hash = safeHash(canonicalJson(template));
  const labels = { ...asMap(at(template, "metadata", "labels")), [hashLabel]: hash };
  const selector = asObject(specOf(deployment)["selector"]);
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels,
      annotations: { ...annotations, ...sizeNotes(deployment), [revisionKey]: String(revision) },
      ownerReferences: [ownerOf(deployment)],
    },
    spec: {
      replicas: size,
      ...(specOf(deployment)["minReadySeconds"] !== undefined && {
        minReadySeconds: specOf(deployment)["minReadySeconds"],
      }),
      selector: { ...selector, matchLabels: { ...asMap(selector["matchLabels"]), [hashLabel]: hash } },
      template: put(template, ["metadata", "labels"], labels),
    },
  };
}
