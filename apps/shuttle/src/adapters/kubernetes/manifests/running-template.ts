import type { DesiredService } from "@starform/contract/clusters";
import { instanceChecksum } from "../../../core/service-checksum.ts";
import { drainSecondsAnnotation, instanceChecksumAnnotation } from "./annotations.ts";
import { podEnding, type PodEnding } from "./drain.ts";
import { prefix } from "./labels.ts";
import { appContainerName } from "./names.ts";

/** What the pod template in the cluster says of things that alone are no reason for new pods. */
export type RunningTemplate = {
  readonly instanceChecksum: string;
  readonly serviceName: string;
  readonly drainSeconds: number;
  /** A `PodEnding` as JSON. */
  readonly ending: string;
};

/** Read from a Deployment as the cluster has it; undefined if it is not one of ours. */
export function runningTemplateOf(deployment: {
  readonly spec?: {
    readonly template?: {
      readonly metadata?: {
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec?: {
        readonly shareProcessNamespace?: boolean;
        readonly containers?: readonly {
          readonly name?: string;
          readonly lifecycle?: PodEnding["lifecycle"];
        }[];
      };
    };
  };
}): RunningTemplate | undefined {
  const { metadata, spec } = deployment.spec?.template ?? {};
  const { labels, annotations } = metadata ?? {};
  const checksum = annotations?.[instanceChecksumAnnotation];
  const drainSeconds = Number(annotations?.[drainSecondsAnnotation] ?? Number.NaN);
  const serviceName = labels?.[`${prefix}service-name`];
  if (!checksum || !serviceName || !Number.isInteger(drainSeconds)) return undefined;
  const { lifecycle } = spec?.containers?.find(({ name }) => name === appContainerName) ?? {};
  const ending = JSON.stringify({ shareProcessNamespace: spec?.shareProcessNamespace, lifecycle });
  return { instanceChecksum: checksum, serviceName, drainSeconds, ending };
}

/**
 * A new name or drain time, and another way of this program to end pods, wait for the next reason to start pods anew: a
 * rename replaces nothing, and no update of Shuttle replaces the pods of every customer at once.
 */
export function heldBack(
  service: DesiredService,
  running: RunningTemplate | undefined,
): Pick<RunningTemplate, "serviceName" | "drainSeconds"> & { readonly ending: PodEnding } {
  if (running?.instanceChecksum === instanceChecksum(service))
    return { ...running, ending: JSON.parse(running.ending) as PodEnding };
  const { service_name: serviceName, drain_seconds: drainSeconds } = service;
  return { serviceName, drainSeconds, ending: podEnding(service) };
}
