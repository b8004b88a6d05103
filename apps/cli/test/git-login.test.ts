import { deleteGitLogin, listGitLogins, putGitLogin, type GitLogin } from "@starform/contract/git-hosts";
import { expect, test } from "vitest";
import { fakePlatform, on } from "./fake-platform.ts";
import { aFolder, starform, type RunOptions } from "./run-starform.ts";

const aLogin: GitLogin = {
  host: "github.com",
  username: "ada",
  createdBy: "ada@example.com",
  createdAt: "2026-11-29T11:00:00.000Z",
};

async function git(words: string[], options: Partial<RunOptions> = {}) {
  await using platform = await fakePlatform({
    ...on(listGitLogins, () => ({ items: [aLogin] })),
    ...on(putGitLogin, ({ params, body }) => ({ ...aLogin, host: params.host, username: body.username })),
    ...on(deleteGitLogin, () => undefined),
  });
  using folder = await aFolder("shop", {});
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token, STARFORM_PROJECT: "shop" };
  const ran = await starform(["git", ...words], { cwd: folder.path, ...options, env });
  return { ...ran, asked: platform.calls.map(({ id, input }) => ({ id, ...input })) };
}

test("a project signs in to a Git host with a token that is piped in and never shown", async () => {
  const words = ["login", "github.com", "--username", "ada", "--password-stdin"];
  const { code, stdout, stderr, asked } = await git(words, { input: "a-token\n" });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(asked).toMatchObject([
    {
      id: "putGitLogin",
      params: { project: "shop", host: "github.com" },
      body: { username: "ada", password: "a-token" },
    },
  ]);
  expect(stdout).toContain("shop signs in to github.com as ada");
  expect(stdout).not.toContain("a-token");
});

test("the sign-ins are listed, and forgotten by host", async () => {
  expect((await git(["logins"])).stdout).toMatch(/github\.com\s+ada\s+ada@example\.com\s+1 h ago/);
  const { stdout, asked } = await git(["logout", "github.com"]);
  expect(asked).toMatchObject([{ id: "deleteGitLogin", params: { host: "github.com" } }]);
  expect(stdout).toContain("does not sign in to github.com any more");
});
