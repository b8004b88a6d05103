import { client, send, toFault, type ClientOptions } from "@starform/client/client";
import {
  getDesiredState,
  postCapacity,
  postRegister,
  postSnapshots,
  postStatus,
  signatureHeader,
} from "@starform/contract/clusters";
import { isFault } from "@starform/std/fault";
import { keyOf } from "../../core/service-key.ts";
import type { Starbase } from "../../core/ports.ts";

type Options = {
  readonly url: string;
  readonly clusterId: string;
  readonly token: () => string;
  readonly timed: (call: string, seconds: number) => void;
  /** Starbase answered, and does not take the token: somebody has to renew it. */
  readonly refused?: () => void;
};

/** Starbase over its HTTP contract. */
export function httpStarbase({ url, clusterId, token, timed, refused }: Options): Starbase {
  const options: ClientOptions = { url, token, agent: "starform-shuttle" };
  const call = client(options);
  const params = { id: clusterId };
  const measured = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const beganMs = performance.now();
    try {
      return await work();
    } catch (error) {
      if (isFault(error, "unauthenticated")) refused?.();
      throw error;
    } finally {
      timed(name, (performance.now() - beganMs) / 1_000);
    }
  };
  return {
    fetchDesired: (etag, waitSeconds, signal) =>
      measured("desired-state", async () => {
        const answer = await send(
          options,
          getDesiredState,
          { params, query: { wait: waitSeconds } },
          {
            signal,
            timeoutMs: (waitSeconds + 15) * 1_000,
            headers: etag ? { "if-none-match": etag } : {},
          },
        );
        const text = await answer.text();
        if (answer.status === 304) return { kind: "unchanged" };
        if (answer.status >= 400) throw toFault(getDesiredState, answer.status, text);
        return {
          kind: "document",
          text,
          signature: answer.headers.get(signatureHeader) ?? undefined,
          etag: answer.headers.get("etag") ?? undefined,
        };
      }),
    postSnapshots: (snapshots, signal) =>
      measured("snapshots", async () => {
        const body = { snapshots: [...snapshots] };
        const { refused } = await call(postSnapshots, { params, body }, { signal });
        const byId = new Map(snapshots.map((one) => [one.snapshot_id, one]));
        return refused.map(({ snapshot_id: id, reason }) => {
          const snapshot = byId.get(id);
          return { podId: snapshot?.pod_id ?? id, key: snapshot && keyOf(snapshot), reason };
        });
      }),
    postCapacity: ({ softLimit, at, ...capacity }, signal) =>
      measured(
        "capacity",
        async () =>
          void (await call(
            postCapacity,
            {
              params,
              body: {
                cluster_id: clusterId,
                current_pod_count: capacity.podCount,
                soft_limit: softLimit,
                timestamp: at.toISOString(),
                nodes: capacity.nodes,
                cpu_allocatable_millis: capacity.cpuAllocatableMillis,
                memory_allocatable_bytes: capacity.memoryAllocatableBytes,
                cpu_requested_millis: capacity.cpuRequestedMillis,
                memory_requested_bytes: capacity.memoryRequestedBytes,
              },
            },
            { signal },
          )),
      ),
    postStatus: (reports, cronRuns, signal) =>
      measured("status", async () => {
        const { refused } = await call(
          postStatus,
          { params, body: { reports: [...reports], cron_runs: [...cronRuns] } },
          { signal },
        );
        return refused.map(({ service_id: serviceId, reason }) => ({ serviceId, reason }));
      }),
    register: (what, signal) =>
      measured(
        "register",
        async () =>
          void (await call(
            postRegister,
            {
              params,
              body: {
                shuttle_version: what.shuttleVersion,
                runtime: what.runtime,
                kubernetes_version: what.kubernetesVersion,
                capabilities: [...what.capabilities],
                region: what.region,
              },
            },
            { signal },
          )),
      ),
  };
}
