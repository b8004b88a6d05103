import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import type { LogScope } from "../../ports/log-store.ts";
import { openArrivals } from "./arrivals.ts";
import type { Select } from "./select.ts";

const scopeOf = (projectId: string): LogScope => ({
  workspaceId: "w1",
  projectId,
  environment: "production",
  serviceIds: ["web"],
  keptSince: new Date(0),
});

/** A store whose services have so much; it counts who asks, and may be away. */
function aStore() {
  const sums = new Map<string, string>();
  const asked: Readonly<Record<string, unknown>>[] = [];
  const store = { sums, asked, isAway: false };
  const select = (async (_sql: string, params: Readonly<Record<string, unknown>>) => {
    asked.push(params);
    if (store.isAway) throw new Error("away");
    return [...sums].map(([project_id, arrived]) => ({
      project_id,
      environment: "production",
      service_id: "web",
      arrived,
    }));
  }) as Select;
  return Object.assign(store, { arrivals: openArrivals(select) });
}

test("many wait by one question, and only whom something came for goes on", async () => {
  const { arrivals, asked, sums } = aStore();
  const ended = new AbortController();
  const ids = Array.from({ length: 100 }, (_, n) => `p${n}`);
  const first = await Promise.all(ids.map((id) => arrivals.next(scopeOf(id), undefined, ended.signal)));
  expect([...new Set(first), asked.length]).toEqual(["", 1]);
  const woken: string[] = [];
  const all = ids.map(async (id) => {
    const arrived = await arrivals.next(scopeOf(id), "", ended.signal);
    if (!ended.signal.aborted) woken.push(`${id} ${arrived}`);
  });
  await until("two more looks", () => asked.length >= 3);
  expect(asked.at(-1)).toMatchObject({ projects: ids, workspaces: ["w1"], services: ["web"] });
  sums.set("p7", "5");
  await until("somebody goes on", () => woken.length > 0);
  expect(woken).toEqual(["p7 5"]);
  ended.abort();
  await Promise.all(all);
});

test("while the store is away, everybody asks for himself", async () => {
  const store = aStore();
  store.isAway = true;
  await expect(store.arrivals.next(scopeOf("p1"), "", new AbortController().signal)).resolves.toBe("");
});

test("nobody waits for ever, and nothing is asked where nobody waits", async () => {
  const { arrivals, asked } = aStore();
  const ended = new AbortController();
  const waiting = arrivals.next(scopeOf("p1"), "", ended.signal);
  await until("a look", () => asked.length >= 1);
  ended.abort();
  await waiting;
  await expect(arrivals.next(scopeOf("p1"), "", ended.signal)).resolves.toBe("");
  const looks = asked.length;
  await arrivals.next(scopeOf("p2"), undefined, new AbortController().signal);
  expect(asked.slice(looks).every(({ projects }) => JSON.stringify(projects) === '["p2"]')).toBe(true);
});
