import { Fault } from "@starform/std/fault";
import { expect, test } from "vitest";
import { sessionKeeper } from "./session-keeper.ts";

const quarterHourMs = 15 * 60_000;

/** A control plane that ends the session when a refresh token comes twice. */
function aControlPlane() {
  const clock = { now: 1_000_000_000_000 };
  const used: string[] = [];
  const gate = Promise.withResolvers<void>();
  const keeper = sessionKeeper({
    now: () => clock.now,
    async refresh(token) {
      if (used.includes(token)) throw new Fault("unauthenticated", "the session has ended: sign in again");
      used.push(token);
      await gate.promise;
      return { access: `access of ${token}`, until: clock.now + quarterHourMs, refresh: `${token}+` };
    },
  });
  return { clock, used, keeper, open: gate.resolve };
}

test("requests at the same time, and late ones with the old cookie, present a refresh token once", async () => {
  const { clock, used, keeper, open } = aControlPlane();
  const old = { access: "old", until: clock.now + 30_000, refresh: "r" };
  const together = Promise.all(Array.from({ length: 20 }, () => keeper.fresh(old)));
  open();
  expect(new Set((await together).map(({ refresh }) => refresh))).toEqual(new Set(["r+"]));
  clock.now += 5 * 60_000;
  expect((await keeper.fresh(old)).refresh).toBe("r+");
  expect(used).toEqual(["r"]);
});

test("a session that is good for longer than a minute is left alone", async () => {
  const { clock, used, keeper } = aControlPlane();
  const held = { access: "a", until: clock.now + 61_000, refresh: "r" };
  expect(await keeper.fresh(held)).toBe(held);
  expect(used).toEqual([]);
});

test("an API that was away is asked again; a session that ended stays ended", async () => {
  const answers = [new Fault("unavailable", "away"), new Fault("unauthenticated", "ended")];
  let asked = 0;
  const keeper = sessionKeeper({
    now: () => 0,
    refresh: async () => {
      throw answers[Math.min(asked++, 1)]!;
    },
  });
  const held = { access: "a", until: 0, refresh: "r" };
  await expect(keeper.fresh(held)).rejects.toMatchObject({ code: "unavailable" });
  await expect(keeper.fresh(held)).rejects.toMatchObject({ code: "unauthenticated" });
  await expect(keeper.fresh(held)).rejects.toMatchObject({ code: "unauthenticated" });
  expect(asked).toBe(2);
});
