import { ServiceSettings, type Service } from "@starform/contract/services";
import { expect, test } from "vitest";
import { draftOf, patchOf, rebased } from "./settings-draft.ts";

const service: Pick<Service, "source" | "settings"> = {
  source: { kind: "push" },
  settings: ServiceSettings.parse({ healthCheck: { path: "/up" }, startCommand: "node ." }),
};
const draft = draftOf(service);

test("an untouched form sends nothing, a touched one only what differs", () => {
  expect(patchOf(service, draft)).toEqual({ body: {}, problem: undefined });
  expect(patchOf(service, { ...draft, replicas: "3", startCommand: " " })).toEqual({
    body: { settings: { startCommand: null, replicas: 3 } },
    problem: undefined,
  });
  expect(patchOf(service, { ...draft, sourceKind: "git", address: "https://x/y.git" }).body).toEqual({
    source: { kind: "git", url: "https://x/y.git" },
  });
  expect(patchOf(service, { ...draft, healthPath: "" }).body).toEqual({ settings: { healthCheck: null } });
});

test("watch paths are written one a line, and none is every push", () => {
  const { body, problem } = patchOf(service, { ...draft, watchPaths: " apps/web/** \n\n!**/*.md\n" });
  expect({ body, problem }).toEqual({
    body: { settings: { watchPaths: ["apps/web/**", "!**/*.md"] } },
    problem: undefined,
  });
  const watching = { ...service, settings: { ...service.settings, watchPaths: ["a,b/**", "c"] } };
  expect(patchOf(watching, draftOf(watching)).body).toEqual({});
  expect(patchOf(watching, { ...draftOf(watching), watchPaths: "" }).body).toEqual({
    settings: { watchPaths: [] },
  });
  expect(patchOf(service, { ...draft, watchPaths: "apps/{web,api}/**" }).problem).toMatch(/^Watch paths: /);
});

test("what the API would refuse is told before it is sent", () => {
  expect(patchOf(service, { ...draft, replicas: "" }).problem).toMatch(/^Replicas: /);
  expect(patchOf(service, { ...draft, replicas: "99" }).problem).toMatch(/^Replicas: /);
  expect(patchOf(service, { ...draft, healthPath: "up" }).problem).toMatch(/^Health check: /);
  expect(patchOf(service, { ...draft, sourceKind: "image", address: " " }).problem).toBe(
    "Say where the source is",
  );
});

test("what somebody else saved meanwhile stays, under the changes of this person", () => {
  const now = { ...service, settings: { ...service.settings, tier: "nova" as const, startCommand: "bun ." } };
  const mine = { ...draft, replicas: "3", startCommand: "deno ." };
  const next = rebased({ base: service, draft: mine }, now);
  expect(patchOf(now, next).body).toEqual({ settings: { replicas: 3, startCommand: "deno ." } });
  expect(patchOf(service, mine).body).toEqual({ settings: { replicas: 3, startCommand: "deno ." } });
});
