import { pause, backoffMs } from "@starform/std/retry";
import { sql } from "kysely";
import pg from "pg";
import type { Announce, Change, Changes } from "../../ports/changes.ts";
import type { Db } from "./database.ts";
import type { Outage } from "./outage.ts";

const channel = "starform_changes";

/** Tells of a change when the transaction commits; Postgres folds equal notices of one transaction into one. */
export const announcer = (db: Db): Announce => ({
  async announce(change) {
    await sql`select pg_notify(${channel}, ${JSON.stringify(change)})`.execute(db);
  },
});

const keyOf = (change: Change): string =>
  change.kind === "desired_state"
    ? `desired_state:${change.clusterId}`
    : change.kind === "deployment"
      ? `deployment:${change.deploymentId}`
      : change.kind === "project"
        ? `project:${change.projectId}`
        : change.kind;

/**
 * Listens on one connection of its own. When it is lost it comes back by itself, and everyone who waits is woken to
 * look again, since what was said meanwhile is gone. It tells the outage of each loss and vain attempt, and of its return.
 */
export async function listenForChanges(url: string, outage: Outage): Promise<Changes & AsyncDisposable> {
  const waiting = new Map<string, Set<() => void>>();
  const listeners = new Map<string, Set<(change: Change) => void>>();
  const closing = new AbortController();
  let client: pg.Client | undefined;

  const tell = (change: Change) => {
    for (const wake of waiting.get(keyOf(change)) ?? []) wake();
    for (const listener of listeners.get(change.kind) ?? []) listener(change);
  };
  const wakeAll = () => {
    for (const set of waiting.values()) for (const wake of set) wake();
    for (const listener of listeners.get("identity") ?? []) listener({ kind: "identity" });
  };
  const connect = async () => {
    const next = new pg.Client({ connectionString: url, application_name: "starbase-changes" });
    next.on("notification", ({ payload }) => payload && tell(JSON.parse(payload) as Change));
    next.on("error", outage.lost);
    try {
      await next.connect();
      await next.query(`listen ${channel}`);
    } catch (error) {
      await next.end().catch(() => undefined);
      throw error;
    }
    // Only what was open comes back by its end: pg tells the end of a failed attempt as well, and the loop has that.
    next.on("end", () => {
      if (!closing.signal.aborted) void reconnect();
    });
    client = next;
  };
  const reconnect = async () => {
    for (let attempt = 1; !closing.signal.aborted; attempt++) {
      await pause(backoffMs({ firstMs: 100, maxMs: 2_000 }, attempt), closing.signal);
      if (closing.signal.aborted) return;
      const isUp = await connect().then(
        () => true,
        (error: Error) => (outage.lost(error), false),
      );
      if (!isUp) continue;
      outage.back();
      return wakeAll();
    }
  };
  await connect();

  return {
    async waitFor(change, { ms, signal, look }) {
      const ended = AbortSignal.any([closing.signal, AbortSignal.timeout(ms), ...(signal ? [signal] : [])]);
      const keys = (Array.isArray(change) ? change : [change]).map(keyOf);
      let wake = () => undefined as void;
      const onWake = () => wake();
      for (const key of keys) waiting.set(key, (waiting.get(key) ?? new Set()).add(onWake));
      ended.addEventListener("abort", onWake, { once: true });
      try {
        while (!ended.aborted) {
          const woken = new Promise<void>((resolve) => (wake = resolve));
          if (await look()) return;
          if (!ended.aborted) await woken;
        }
      } finally {
        ended.removeEventListener("abort", onWake);
        for (const key of keys) {
          waiting.get(key)?.delete(onWake);
          if (waiting.get(key)?.size === 0) waiting.delete(key);
        }
      }
    },
    on(kind, listener) {
      const set = listeners.get(kind) ?? new Set();
      listeners.set(kind, set);
      set.add(listener);
      return () => set.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      wakeAll();
      await client?.end().catch(() => undefined);
    },
  };
}
