import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getProject } from "@starform/contract/projects";
import { getService } from "@starform/contract/services";
import { expect, test } from "vitest";
import { fakePlatform, on } from "./fake-platform.ts";
import { aFolder, starform } from "./run-starform.ts";
import { aProject, aService } from "./sample-answers.ts";

const program = fileURLToPath(new URL("../bin/starform.ts", import.meta.url));

test("git remote --yes makes a repository, adds the remote, and Git gets the token without asking", async () => {
  const gitUrl = "http://127.0.0.1:9/git/shop/web.git";
  await using platform = await fakePlatform({
    ...on(getProject, () => aProject()),
    ...on(getService, () => aService({ gitUrl })),
  });
  using folder = await aFolder("shop", { "index.html": "hi" });
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const first = await starform(["git", "remote", "--yes"], { cwd: folder.path, env });
  expect(first).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("git push starform main") as string,
  });
  expect((await starform(["git", "remote", "--yes"], { cwd: folder.path, env })).code).toBe(0);
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder.path, encoding: "utf8" }).trim();
  expect(git("remote", "get-url", "starform")).toBe(gitUrl);
  const helpers = git("config", "--get-all", "credential.http://127.0.0.1:9.helper").split("\n");
  expect(helpers).toEqual([`!/opt/node /opt/starform.mjs git-credential --url ${platform.url}`]);
  expect(git("config", "--local", "--list")).not.toContain(platform.token);
});

test("the credential helper answers Git's protocol from the environment", () => {
  const home = mkdtempSync(join(tmpdir(), "starform-cli-"));
  try {
    const asked = spawnSync(
      process.execPath,
      [program, "git-credential", "get", "--url", "http://127.0.0.1:9"],
      {
        input: "protocol=http\nhost=127.0.0.1:9\n\n",
        encoding: "utf8",
        env: { PATH: process.env["PATH"], HOME: home, STARFORM_TOKEN: "sf_t" },
      },
    );
    expect(asked).toMatchObject({ status: 0, stdout: "username=starform\npassword=sf_t\n" });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
