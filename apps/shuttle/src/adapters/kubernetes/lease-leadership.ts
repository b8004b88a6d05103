import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { wordsOf } from "@starform/std/fault";
import type { Leadership } from "../../core/leadership.ts";
import { systemTime, type Time } from "../../core/time.ts";

type Deps = {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly name: string;
  /** Of this process; another one of the same name would be taken for it. */
  readonly identity: string;
  readonly warn: (sentence: string) => void;
  readonly time?: Time;
  /** client-go's defaults: 15 s without renewal and the lease is free, 2 s between looks. */
  readonly durationMs?: number;
  readonly retryMs?: number;
};
type LeaseSpec = {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number;
  readonly renewTime?: string | null;
  readonly leaseTransitions?: number;
};
type Seen = { readonly resourceVersion: string; readonly atMs: number; readonly spec: LeaseSpec };

/** Whoever follows need not wait for the duration; a server that is away is not waited for. */
const letGoWithinMs = 2_000;

const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" } as const;

/**
 * Leadership by a Lease. Clocks of other machines are never believed: a lease is free when nobody has written to it for
 * its duration as measured here, or its holder let go. Every write names the version it has seen, so that of two who try only one succeeds. A
 * leader that could not renew stops acting at two thirds of the duration, before another may begin: counted from when it
 * asked, for however late the answer comes, others may have seen the renewal then.
 */
export function leaseLeadership({
  api,
  namespace,
  name,
  identity,
  warn,
  time = systemTime,
  durationMs = 15_000,
  retryMs = 2_000,
}: Deps): Leadership {
  let seen: Seen | undefined;
  const mayActMs = (durationMs * 2) / 3;

  const look = (object: KubeObject): Seen => {
    const resourceVersion = object.metadata.resourceVersion ?? "";
    const spec = (object["spec"] ?? {}) as LeaseSpec;
    if (seen?.resourceVersion !== resourceVersion) seen = { resourceVersion, spec, atMs: time.elapsedMs() };
    return seen;
  };
  const specNow = (before: LeaseSpec | undefined): Record<string, unknown> => {
    const at = new Date(time.nowMs()).toISOString().replace("Z", "000Z");
    const isOurs = before?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1_000),
      renewTime: at,
      ...(isOurs ? {} : { acquireTime: at, leaseTransitions: (before?.leaseTransitions ?? -1) + 1 }),
    };
  };
  const write = async ({ resourceVersion, spec }: Seen, signal: AbortSignal): Promise<void> => {
    const ref = { ...lease, namespace, name };
    look(await api.patch(ref, { metadata: { resourceVersion }, spec: specNow(spec) }, signal));
  };
  /** Whether this process holds the lease after the attempt; undefined when somebody wrote at the same moment. */
  const acquire = async (signal: AbortSignal): Promise<boolean | undefined> => {
    try {
      const object = await api.get({ ...lease, namespace, name }, signal);
      if (!object) {
        look(await api.create({ ...lease, metadata: { name, namespace }, spec: specNow(undefined) }, signal));
        return true;
      }
      const found = look(object);
      const holder = found.spec.holderIdentity;
      const heldMs = (found.spec.leaseDurationSeconds ?? 0) * 1_000;
      const isFree = !holder || holder === identity || time.elapsedMs() - found.atMs > heldMs;
      if (!isFree) return false;
      await write(found, signal);
      return true;
    } catch (error) {
      if (isKubeError(error, 409)) return undefined;
      throw error;
    }
  };
  /** The work, whose signal ends with that time or with the outer one. */
  const inTime = async <T>(
    work: (signal: AbortSignal) => Promise<T>,
    ms: number,
    outer?: AbortSignal,
  ): Promise<T> => {
    const over = new AbortController();
    const limit = AbortSignal.any([over.signal, ...(outer ? [outer] : [])]);
    const waited = time.pause(ms, limit).then(() => over.abort());
    try {
      return await work(limit);
    } finally {
      over.abort();
      await waited;
    }
  };
  /** Renews until it cannot, or somebody else holds the lease. */
  const keep = async (ended: AbortController, acquiredMs: number): Promise<void> => {
    let renewedMs = acquiredMs;
    const lose = (why: string): void => {
      warn(`this Shuttle no longer leads, and stands by: ${why}`);
      ended.abort();
    };
    while (!ended.signal.aborted) {
      await time.pause(retryMs, ended.signal);
      if (ended.signal.aborted) return;
      const askedMs = time.elapsedMs();
      const leftMs = renewedMs + mayActMs - askedMs;
      if (leftMs <= 0) return lose("its lease could not be renewed in time");
      const isOurs = await inTime(acquire, leftMs, ended.signal).catch(() => undefined);
      if (isOurs) renewedMs = askedMs;
      else if (isOurs === false && !ended.signal.aborted) return lose("another one holds the lease");
    }
  };
  const letGo = async (): Promise<void> => {
    if (seen?.spec.holderIdentity !== identity) return;
    const patch = {
      metadata: { resourceVersion: seen.resourceVersion },
      spec: { holderIdentity: null, leaseDurationSeconds: 1 },
    };
    const patchLease = (signal: AbortSignal) => api.patch({ ...lease, namespace, name }, patch, signal);
    await inTime(patchLease, letGoWithinMs).catch(() => undefined);
    seen = undefined;
  };
  return {
    async run(lead, signal) {
      for (let fails = 0; !signal.aborted;) {
        const askedMs = time.elapsedMs();
        const isLeader = await inTime(acquire, mayActMs, signal).catch((error: unknown) => {
          if (fails++ % 30 === 0 && !signal.aborted)
            warn(`nobody could be asked who leads: ${wordsOf(error)}`);
          return false;
        });
        if (!isLeader) {
          await time.pause(retryMs * (0.8 + Math.random() * 0.4), signal);
          continue;
        }
        fails = 0;
        const ended = new AbortController();
        const end = () => ended.abort();
        signal.addEventListener("abort", end, { once: true });
        const keeping = keep(ended, askedMs);
        try {
          await lead(ended.signal);
        } finally {
          signal.removeEventListener("abort", end);
          ended.abort();
          await keeping;
          await letGo();
        }
      }
    },
  };
}
