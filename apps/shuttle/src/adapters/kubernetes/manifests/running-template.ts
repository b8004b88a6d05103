import type { DesiredService } from "@starform/contract/clusters";
import { instanceChecksum } from "../../../core/service-checksum.ts";
import { drainSecondsAnnotation, instanceChecksumAnnotation } from "./annotations.ts";
import { prefix } from "./labels.ts";

/** What the pod template in the cluster says of things that alone are no reason for new pods. */
export type RunningTemplate = {
  readonly instanceChecksum: string;
  readonly serviceName: string;
  readonly drainSeconds: number;
};

/** Read from a Deployment as the cluster has it; undefined if it is not one of ours. */
export function runningTemplateOf(deployment: {
  readonly spec?: {
    readonly template?: {
      readonly metadata?: {
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
    };
  };
}): RunningTemplate | undefined {
  const { labels, annotations } = deployment.spec?.template?.metadata ?? {};
  const checksum = annotations?.[instanceChecksumAnnotation];
  const drainSeconds = Number(annotations?.[drainSecondsAnnotation] ?? Number.NaN);
  const serviceName = labels?.[`${prefix}service-name`];
  if (!checksum || !serviceName || !Number.isInteger(drainSeconds)) return undefined;
  return { instanceChecksum: checksum, serviceName, drainSeconds };
}

/** A new name or drain time waits for the next reason to start pods anew: a rename replaces nothing. */
export function heldBack(
  service: DesiredService,
  running: RunningTemplate | undefined,
): Pick<RunningTemplate, "serviceName" | "drainSeconds"> {
  return running?.instanceChecksum === instanceChecksum(service)
    ? running
    : { serviceName: service.service_name, drainSeconds: service.drain_seconds };
}
