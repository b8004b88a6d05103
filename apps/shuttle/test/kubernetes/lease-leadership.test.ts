import { once } from "node:events";
import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { pause, until } from "@starform/std/retry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leaseLeadership } from "../../src/adapters/kubernetes/lease-leadership.ts";
import { kinds, openKubeRig, type KubeRig } from "./cluster-rig.ts";

let rig: KubeRig;
let api: KubeApi;
let namespace: string;
beforeAll(async () => {
  rig = await openKubeRig();
  ({ api } = rig);
  ({ namespace } = rig.project());
  await api.create({ ...kinds.namespace, metadata: { name: namespace } });
});
afterAll(() => rig[Symbol.asyncDispose]());

let leases = 0;
const aLease = () => `shuttle-${++leases}`;
const leaseOf = (name: string) =>
  api.get({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace, name });
const specOf = (object: KubeObject | undefined) => object?.["spec"] as Record<string, unknown>;

/** One Shuttle that leads when it may, and writes down when it begins and ends. */
function aShuttle(name: string, identity: string, log: string[], own: Partial<{ api: KubeApi }> = {}) {
  const ending = new AbortController();
  const said: string[] = [];
  const leadership = leaseLeadership({
    api,
    namespace,
    name,
    identity,
    durationMs: 2_000,
    retryMs: 100,
    warn: (sentence) => said.push(sentence),
    ...own,
  });
  const running = leadership.run(async (signal) => {
    log.push(`${identity} leads`);
    if (!signal.aborted) await once(signal, "abort");
    log.push(`${identity} ends`);
  }, ending.signal);
  return {
    said,
    async stop() {
      ending.abort();
      await running;
    },
  };
}

test("of several Shuttles one leads, and another one follows when it ends, without a moment of two", async () => {
  const [name, log] = [aLease(), [] as string[]];
  const shuttles = ["a", "b", "c"].map((identity) => aShuttle(name, identity, log));
  await until("one leads", () => log.length === 1);
  const first = log[0]!.charAt(0);
  expect(specOf(await leaseOf(name))).toMatchObject({ holderIdentity: first, leaseTransitions: 0 });
  await shuttles["abc".indexOf(first)]!.stop();
  await until("another one leads", () => log.length === 3);
  expect(log.map((line) => line.slice(2))).toEqual(["leads", "ends", "leads"]);
  expect(log[2]!.charAt(0)).not.toBe(first);
  await Promise.all(shuttles.map((shuttle) => shuttle.stop()));
});

test("a leader that died is followed once nobody has renewed for the duration, whatever its clock said", async () => {
  const [name, log] = [aLease(), [] as string[]];
  await api.create({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace },
    spec: {
      holderIdentity: "dead",
      leaseDurationSeconds: 1,
      renewTime: "2099-01-01T00:00:00.000000Z",
      leaseTransitions: 4,
    },
  });
  const shuttle = aShuttle(name, "a", log);
  await until("it leads", () => log.length === 1);
  expect(specOf(await leaseOf(name))).toMatchObject({ holderIdentity: "a", leaseTransitions: 5 });
  await shuttle.stop();
  expect(specOf(await leaseOf(name))).not.toHaveProperty("holderIdentity", "a");
});

test("a leader that cannot renew ends before another may begin, and leads again when it can", async () => {
  const [name, log] = [aLease(), [] as string[]];
  let isAway = false;
  const away = (): Promise<never> => Promise.reject(new Error("the API server is away"));
  const cut = new Proxy(api, {
    get: (target, property) =>
      isAway && ["get", "patch", "create"].includes(String(property))
        ? away
        : (target[property as keyof KubeApi] as unknown),
  });
  const leader = aShuttle(name, "a", log, { api: cut });
  await until("it leads", () => log.length === 1);
  const standby = aShuttle(name, "b", log);
  isAway = true;
  await until("the other one leads", () => log.includes("b leads"));
  expect(log).toEqual(["a leads", "a ends", "b leads"]);
  expect(leader.said[0]).toMatch(/no longer leads, and stands by: its lease could not be renewed in time/);
  isAway = false;
  await standby.stop();
  await until("the first leads again", () => log.at(-1) === "a leads");
  await leader.stop();
});

test("a leader whose renewal was answered late ends before another may begin all the same", async () => {
  const [name, log] = [aLease(), [] as string[]];
  let how: "sound" | "late" | "away" = "sound";
  const slow: KubeApi = {
    ...api,
    get: (...call) => (how === "away" ? Promise.reject(new Error("it is away")) : api.get(...call)),
    async patch(...call) {
      const answer = await api.patch(...call);
      if (how !== "late") return answer;
      how = "away";
      await pause(1_200);
      return answer;
    },
  };
  const leader = aShuttle(name, "a", log, { api: slow });
  await until("it leads", () => log.length === 1);
  const standby = aShuttle(name, "b", log);
  how = "late";
  await until("the other one leads", () => log.includes("b leads"));
  expect(log).toEqual(["a leads", "a ends", "b leads"]);
  await Promise.all([leader.stop(), standby.stop()]);
});

test("a lease that somebody takes by hand ends the leadership, and a hand that only touches it does not", async () => {
  const [name, log] = [aLease(), [] as string[]];
  const shuttle = aShuttle(name, "a", log);
  await until("it leads", () => log.length === 1);
  const ref = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace, name };
  await api.patch(ref, { metadata: { labels: { touched: "yes" } } });
  const renewed = async () => specOf(await leaseOf(name))?.["renewTime"];
  const before = await renewed();
  await until("it renewed", async () => (await renewed()) !== before);
  expect(log).toEqual(["a leads"]);
  await api.patch(ref, { spec: { holderIdentity: "somebody", leaseDurationSeconds: 60 } });
  await until("it stands by", () => log.length === 2);
  expect(shuttle.said[0]).toMatch(/another one holds the lease/);
  await shuttle.stop();
});
