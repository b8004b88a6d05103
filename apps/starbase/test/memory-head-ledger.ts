import type { HeadLedger } from "../src/core/builds/head-ledger.ts";

/** The ledger of one process; held to the same promises as the one in Postgres. */
export function memoryHeadLedger(nowMs: () => number = Date.now): HeadLedger {
  const heads = new Map<
    string,
    { serviceId: string; ref: string; sha: string; seenMs: number; isSettled: boolean }
  >();
  const keyOf = (serviceId: string, ref: string) => `${serviceId} ${ref}`;
  return {
    async claim(serviceId, ref, sha) {
      if (heads.get(keyOf(serviceId, ref))?.sha === sha) return false;
      heads.set(keyOf(serviceId, ref), { serviceId, ref, sha, seenMs: nowMs(), isSettled: false });
      return true;
    },
    async known(serviceId) {
      const own = [...heads.values()].filter((head) => head.serviceId === serviceId);
      return new Map(own.map(({ ref, sha }) => [ref, sha]));
    },
    async settle(serviceId, ref, sha) {
      const head = heads.get(keyOf(serviceId, ref));
      if (head?.sha === sha) head.isSettled = true;
    },
    forget: async (serviceId, ref) => void heads.delete(keyOf(serviceId, ref)),
    async reclaim(olderThanMs) {
      const stalled = [...heads.values()].filter(
        ({ isSettled, seenMs }) => !isSettled && nowMs() - seenMs > olderThanMs,
      );
      for (const head of stalled) head.seenMs = nowMs();
      return stalled.map(({ serviceId, ref, sha }) => ({ serviceId, ref, sha }));
    },
  };
}
