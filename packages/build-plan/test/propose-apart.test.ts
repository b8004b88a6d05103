import path from "node:path";
import { expect, test } from "vitest";
import { proposeApart, proposedSettings } from "../src/propose-apart.ts";
import { proposeServices } from "../src/propose-services.ts";

const monorepo = path.resolve(import.meta.dirname, "../../../examples/monorepo-with-reference");

test("what is proposed apart is what is proposed here", async () => {
  const proposals = await proposeApart(monorepo);
  expect(proposals.services).toHaveLength(2);
  expect(proposals).toEqual(await proposeServices(monorepo));
});

test("a proposal in the words of settings names what differs from any new service", () => {
  const proposal = { name: "api", type: "web", provider: "node", reason: "", variables: {} } as const;
  expect(proposedSettings({ ...proposal, rootDirectory: ".", watchPaths: [] })).toEqual({});
  expect(
    proposedSettings({
      ...proposal,
      rootDirectory: "apps/api",
      watchPaths: ["apps/api/**"],
      buildCommand: "make",
      startCommand: "./api",
      cron: "0 3 * * *",
    }),
  ).toEqual({
    rootDirectory: "apps/api",
    watchPaths: ["apps/api/**"],
    buildCommand: "make",
    startCommand: "./api",
    schedule: "0 3 * * *",
  });
});

test("watch paths that no setting can hold are left out as a whole, so that every push deploys", () => {
  const proposal = { name: "api", type: "web", provider: "node", reason: "", variables: {} } as const;
  const watchPaths = ["apps/{api}/**", "package.json"];
  expect(proposedSettings({ ...proposal, rootDirectory: "apps/{api}", watchPaths })).toEqual({
    rootDirectory: "apps/{api}",
  });
});
