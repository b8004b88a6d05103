import type { ProposedService } from "@starform/contract/proposals";
import { expect, test } from "vitest";
import { draftsOf, problemOf, serviceOf } from "./proposal-draft.ts";

const proposed = (name: string, more: Partial<ProposedService> = {}): ProposedService => ({
  name,
  type: "web",
  provider: "node",
  reason: `${name} holds an app of its own`,
  settings: { branch: "main", rootDirectory: name },
  variables: {},
  ...more,
});
const none = new Set<string>();
const problems = (services: ProposedService[], taken = none, change = {}) => {
  const drafts = draftsOf({ services }, taken).map((draft, at) =>
    at === 0 ? { ...draft, ...change } : draft,
  );
  return drafts.map((draft) => problemOf(draft, drafts, taken)?.in);
};

test("all is chosen but what the project has already, which is refused when it is chosen all the same", () => {
  const services = [proposed("api"), proposed("web")];
  const taken = new Set(["api"]);
  expect(draftsOf({ services }, taken).map(({ isChosen }) => isChosen)).toEqual([false, true]);
  expect(problems(services, taken)).toEqual([undefined, undefined]);
  expect(problems(services, taken, { isChosen: true })).toEqual(["name", undefined]);
  expect(problems(services, taken, { isChosen: true, name: "api-2" })).toEqual([undefined, undefined]);
});

test("a name is one that a service may have, and no other's of the list that is chosen", () => {
  const services = [proposed("api"), proposed("web")];
  expect(problems(services, none, { name: "Api" })).toEqual(["name", undefined]);
  expect(problems(services, none, { name: "" })).toEqual(["name", undefined]);
  expect(problems(services, none, { name: "web" })).toEqual(["name", "name"]);
  expect(problems(services, none, { name: "web", isChosen: false })).toEqual([undefined, undefined]);
});

test("a cron has the schedule that the repository or the person gives", () => {
  const settings = { schedule: "0 4 * * *" };
  expect(problems([proposed("tidy", { type: "cron" })])).toEqual(["schedule"]);
  expect(problems([proposed("tidy", { type: "cron" })], none, { schedule: "* * * * *" })).toEqual([
    undefined,
  ]);
  const [draft] = draftsOf({ services: [proposed("tidy", { type: "cron", settings })] }, none);
  expect(draft).toMatchObject({ schedule: "0 4 * * *" });
  const source = { kind: "git", url: "https://git.example/app.git" } as const;
  expect(serviceOf({ ...draft!, name: "clean", schedule: " 5 4 * * * " }, { id: "p1", source })).toEqual({
    name: "clean",
    type: "cron",
    source,
    settings: { schedule: "5 4 * * *" },
    variables: {},
    proposal: "p1",
  });
});
