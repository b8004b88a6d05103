import { pause, until as untilWithin } from "@starform/std/retry";
import { steppedClock } from "@starform/testkit/kubernetes/clock";
import { describe, expect, test } from "vitest";
import { systemTime, type Time } from "../../src/core/time.ts";
import { auditOfHolds } from "../audit-of-holds.ts";
import { aDocument, aService, redeployed } from "../desired.ts";
import { openWorld, system, type World, type WorldShuttle } from "./shuttle-world.ts";

const image = (letter: string) => `registry.example.com/shop/web@sha256:${letter.repeat(64)}`;
const good = aService({ image: image("a") });
const bad = redeployed(good, { image: image("b") });
const mended = redeployed(bad, {
  image: image("c"),
  provenance: { ...bad.provenance, deployment_id: crypto.randomUUID(), deployed_by: "kim@example.com" },
});

const until: typeof untilWithin = (what, look, options = { withinMs: 120_000 }) =>
  untilWithin(what, look, options);
/** Who was not heard waits before it tells again, a tenth as long here. */
const time: Time = {
  ...systemTime,
  elapsedMs: () => 10 * systemTime.elapsedMs(),
  pause: (ms, signal) => pause(ms / 10, signal),
};
const open = () => openWorld({ clock: steppedClock(new Date("2026-11-29T00:00:00Z")), time });

const runs = (world: World, letter: string) =>
  until(`version ${letter} runs`, async () => {
    await world.fake.advance(5_000);
    const images = world.fake.client
      .list("v1", "Pod", good.namespace)
      .filter(({ metadata }) => !metadata.deletionTimestamp)
      .flatMap(({ spec }) => (spec as { containers: { image: string }[] }).containers);
    return images.length > 0 && images.every((container) => container.image === image(letter));
  });
const kept = ({ fake }: World) =>
  fake.client
    .list("v1", "Secret", system)
    .filter(({ metadata }) => metadata.name.startsWith("shuttle-override-"));
const audit = ({ starbase }: World) => auditOfHolds(starbase.told.history);
const deaf = ({ starbase }: World) =>
  starbase.misbehave((call) => (call === "status" ? { cut: "before" } : undefined));

/** What happens once Starbase decided anew and was told nothing yet; the answer is the Shuttle that is there then. */
type Fate = (world: World, shuttle: WorldShuttle, hear: () => void) => Promise<WorldShuttle>;
const fates: Readonly<Record<string, Fate>> = {
  "nothing goes wrong": async (_, shuttle, hear) => {
    hear();
    return shuttle;
  },
  "Shuttle dies before it told": async (world, shuttle, hear) => {
    await shuttle.kill();
    hear();
    return world.shuttle();
  },
  "Shuttle dies before it knew that Starbase had it": async (world, shuttle, hear) => {
    const endLoss = world.starbase.misbehave((call) => (call === "status" ? { cut: "after" } : undefined));
    hear();
    await until("Starbase has it", async () => (await audit(world)).length > 1);
    await shuttle.kill();
    endLoss();
    return world.shuttle();
  },
  "Shuttle dies before it could forget": async (world, shuttle, hear) => {
    const endFault = world.fake.faults.add({ verb: "delete", resource: "secrets" }, { status: 500 });
    hear();
    await until(
      "it tried to forget",
      () => world.fake.requests.count({ verb: "delete", resource: "secrets" }) > 0,
    );
    await shuttle.kill();
    endFault();
    return world.shuttle();
  },
};

describe.each(Object.entries(fates))(
  "of a hold that is over since Starbase decided anew, when %s,",
  { timeout: 300_000 },
  (_, fate) => {
    test.each([
      { by: "whoever deployed", ended: "service.let_go kim@example.com" },
      { by: "somebody who had let it go", ended: "service.let_go bob" },
    ])("the end is audited once, by $by", async ({ ended }) => {
      await using world = await open();
      await using first = await world.shuttle();
      world.starbase.publish(aDocument(world.clusterId, 1, [good]));
      await runs(world, "a");
      world.starbase.publish(aDocument(world.clusterId, 2, [bad]));
      await runs(world, "b");
      const hear = deaf(world);
      await world.operate("rollback", "web", "1", "--by", "ada");
      await runs(world, "a");
      if (ended.endsWith("bob")) {
        await world.operate("resume", "web", "--by", "bob");
        await runs(world, "b");
      }
      world.starbase.publish(aDocument(world.clusterId, 3, [mended]));
      await runs(world, "c");
      await using last = await fate(world, first, hear);
      await until("it is forgotten", async () => {
        await world.fake.advance(1_000);
        return kept(world).length === 0;
      });
      const passes = await world.passes(last);
      const told = world.starbase.told.history.length;
      await until(
        "it was told of all again",
        async () => (await world.passes(last)) > passes + 5 && world.starbase.told.history.length > told + 1,
      );
      expect(await audit(world)).toEqual(["service.held_back ada", ended]);
    });
  },
);

test(
  "a hold that follows one whose end was not told carries it along, and Starbase's return to a version holds nothing again",
  { timeout: 300_000 },
  async () => {
    await using world = await open();
    await using _shuttle = await world.shuttle();
    for (const [at, service] of [good, bad].entries()) {
      world.starbase.publish(aDocument(world.clusterId, at + 1, [service]));
      await runs(world, "ab"[at]!);
    }
    const hear = deaf(world);
    await world.operate("rollback", "web", "1", "--by", "ada");
    await runs(world, "a");
    world.starbase.publish(aDocument(world.clusterId, 3, [mended]));
    await runs(world, "c");
    world.starbase.publish(aDocument(world.clusterId, 4, [bad]));
    await runs(world, "b");
    world.starbase.publish(aDocument(world.clusterId, 5, [mended]));
    await runs(world, "c");
    await world.operate("rollback", "web", "1", "--by", "eve");
    await runs(world, "a");
    hear();
    await until("all is told", async () => (await audit(world)).length >= 3);
    expect(await audit(world)).toEqual([
      "service.held_back ada",
      "service.let_go kim@example.com",
      "service.held_back eve",
    ]);
    expect(kept(world)).toHaveLength(1);
  },
);
