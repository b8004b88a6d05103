import type { DesiredService, Probe } from "@starform/contract/clusters";
import { mainPort } from "./ports.ts";

type Probing = { readonly periodSeconds: number; readonly failureThreshold: number };

/** What the kubelet gives one answer, in seconds. */
const answerSeconds = 5;
/** Out of the endpoints after 6 s of failing; started again after 15 s. */
const readiness: Probing = { periodSeconds: 2, failureThreshold: 3 };
const liveness: Probing = { periodSeconds: 5, failureThreshold: 3 };
/** Asked by its address, a framework that knows its hosts would refuse; this name they all know. */
const httpHeaders = [{ name: "Host", value: "localhost" }];
/** For the image to be pulled and the pod to be placed, before its own time to start begins. */
const placementSeconds = 120;

/** The container's three probes. Until the startup probe has passed once, the kubelet asks neither of the others. */
export function probesOf(service: DesiredService): Record<string, unknown> {
  const { probes } = service;
  const port = mainPort(service);
  if (port === undefined) return {};
  const startup = { periodSeconds: 1, failureThreshold: Math.max(1, probes.startup.timeout_seconds) };
  const isPatient = probes.startup.kind !== "none";
  return {
    ...probe("startupProbe", probes.startup, port, startup),
    ...probe("readinessProbe", probes.readiness, port, readiness),
    ...probe("livenessProbe", probes.liveness, port, {
      ...liveness,
      ...(isPatient ? {} : { initialDelaySeconds: probes.liveness.timeout_seconds }),
    }),
  };
}

/** After this long without progress a rollout has failed. */
export const progressDeadlineSeconds = ({ probes }: DesiredService): number =>
  placementSeconds + Math.max(probes.startup.timeout_seconds, probes.readiness.timeout_seconds);

function probe(field: string, { kind, path }: Probe, port: number, when: Probing): Record<string, unknown> {
  if (kind === "none") return {};
  const action =
    kind === "http" ? { httpGet: { path: path ?? "/", port, httpHeaders } } : { tcpSocket: { port } };
  return { [field]: { ...action, ...when, timeoutSeconds: answerSeconds } };
}
