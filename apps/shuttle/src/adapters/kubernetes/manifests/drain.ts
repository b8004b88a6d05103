import type { DesiredService } from "@starform/contract/clusters";
import { passOnSigtermScript } from "../../../core/who-hears-sigterm.ts";

/**
 * How long a pod that is being removed goes on serving before it is told to end: until no Envoy sends it anything. Up to
 * 5 s for its endpoint to leave every Envoy (usually below 1 s), 1.5 s for idle connections to be closed, the rest is
 * reserve. See docs/adr/0008-pods-that-lose-no-request.md.
 */
export const preStopSeconds = 10;

/** A new pod counts only when it stayed ready this long: by then every Envoy knows it, before an old one goes. */
export const minReadySeconds = 2;

/** After SIGTERM the app has the whole drain time; the time before is not taken from it. */
export const terminationGraceSeconds = (service: DesiredService, drainSeconds: number): number =>
  (isServing(service) ? preStopSeconds : 0) + Math.max(drainSeconds, 1);

/** Whether anybody sends requests to its pods. */
export const isServing = (service: DesiredService): boolean =>
  service.service_type === "web" || service.ports.length > 0;

/** Whether there is a shell in its image, so that it can be asked who is to hear SIGTERM. */
const hasShell = ({ command, image_traits }: DesiredService): boolean =>
  command !== null || (image_traits?.has_shell ?? false);

/**
 * How the containers of a pod are ended. Where there is no shell, the kubelet itself sleeps, and an app behind a package
 * manager is lost to it: see docs/adr/0027-who-hears-sigterm.md.
 */
export type PodEnding = {
  /**
   * As the first process of its own an app would not be ended by a SIGTERM that it has no handler for, and nobody would
   * clear away what its children leave behind.
   */
  readonly shareProcessNamespace?: boolean;
  /** Of the app's container: what it does before the kubelet tells its first process to end. */
  readonly lifecycle?: Readonly<Record<string, unknown>>;
};

export function podEnding(service: DesiredService): PodEnding {
  const seconds = isServing(service) ? preStopSeconds : 0;
  const shareProcessNamespace = true;
  if (hasShell(service)) {
    const sleep = seconds > 0 ? [`PATH=$PATH:/usr/bin:/bin sleep ${seconds}`] : [];
    const command = ["/bin/sh", "-c", [...sleep, passOnSigtermScript].join("\n")];
    return { shareProcessNamespace, lifecycle: { preStop: { exec: { command } } } };
  }
  return {
    shareProcessNamespace,
    ...(seconds > 0 ? { lifecycle: { preStop: { sleep: { seconds } } } } : {}),
  };
}
