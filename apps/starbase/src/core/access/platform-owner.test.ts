import { expect, test } from "vitest";
import type { Actor } from "../identity/actor.ts";
import { platformAuthorizer } from "./platform-owner.ts";

const workspace = (slug: string) => ({
  workspace: { id: `id-of-${slug}`, slug, name: slug, plan: "trial" as const, createdAt: new Date(0) },
  role: "owner" as const,
});
const authorize = platformAuthorizer({
  owners: ["ada@example.org"],
  access: {
    workspacesOf: async (userId) =>
      userId === "ada" ? [workspace("home"), workspace("customer")] : [workspace("home2")],
  },
});
const actor = (own: Partial<Actor> = {}): Actor => ({
  userId: "ada",
  email: "Ada@example.org",
  name: "Ada",
  via: "token",
  scope: "write",
  workspaceId: "id-of-home",
  projectId: undefined,
  ...own,
});

test("the owner named in the settings runs the platform, by a session or a token of their own workspace", async () => {
  const home = { workspaceId: "id-of-home" };
  expect(await authorize(actor(), "clusters.write")).toEqual(home);
  expect(await authorize(actor({ via: "session", workspaceId: undefined }), "clusters.write")).toEqual(home);
  expect(await authorize(actor({ scope: "read" }), "clusters.read")).toEqual(home);
});

test.each([
  ["somebody else", { email: "eve@example.org" }],
  ["a token of the owner's for another workspace", { workspaceId: "id-of-customer" }],
  ["a token for one project", { projectId: "p-1" }],
  ["a token that may only read", { scope: "read" }],
  ["somebody of that e-mail who owns no workspace home", { userId: "other", workspaceId: "id-of-home2" }],
] as const)("%s does not", async (_who, own) => {
  await expect(authorize(actor(own), "clusters.write")).rejects.toMatchObject({ code: "forbidden" });
});
