import { existsSync, readFileSync, realpathSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createToken, deleteToken, getMe, signIn } from "@starform/contract/identity";
import { Fault } from "@starform/std/fault";
import { expect, test } from "vitest";
import { fakePlatform, on, type Handlers } from "./fake-platform.ts";
import { aFolder, starform, type Ran } from "./run-starform.ts";
import { aMe, ids } from "./sample-answers.ts";

const credentialsOf = (folder: string) =>
  join(folder, "..", "home", ".config", "starform", "credentials.json");
const whoami: Handlers = on(getMe, () => aMe);
const said = ({ stdout, stderr }: Ran) => stdout + stderr;

const withLinks = (token: string, used = { count: 0 }): Handlers => ({
  ...whoami,
  ...on(signIn, ({ body }) => {
    if (body.code !== "once" || used.count++ > 0)
      throw new Fault("unauthenticated", "this sign-in link was used already");
    return { accessToken: token, accessTokenExpiresAt: "2026-11-29T12:15:00Z", refreshToken: "refresh" };
  }),
  ...on(createToken, ({ body }) => ({
    id: ids.build,
    name: body.name,
    workspaceId: ids.workspace,
    projectId: null,
    scope: "write" as const,
    prefix: token.slice(0, 7),
    createdAt: "2026-11-29T12:00:00Z",
    expiresAt: null,
    lastUsedAt: null,
    secret: token,
  })),
  ...on(deleteToken, () => undefined),
});

test("a token that is piped in signs in; it is stored for its owner alone and never shown", async () => {
  await using platform = await fakePlatform(whoami);
  using folder = await aFolder("shop");
  const { token, url } = platform;
  const login = await starform(["login", url, "--token"], { cwd: folder.path, input: `${token}\n` });
  expect(login).toMatchObject({ code: 0, stdout: expect.stringContaining("ada@example.com") as string });
  expect(statSync(credentialsOf(folder.path)).mode & 0o777).toBe(0o600);
  const who = await starform(["whoami", "--json"], { cwd: folder.path });
  expect(JSON.parse(who.stdout)).toMatchObject({ url, user: { email: "ada@example.com" } });
  const out = await starform(["logout"], { cwd: folder.path });
  expect(out.code).toBe(0);
  expect([login, who, out].map(said).join("")).not.toContain(token);
  expect(readFileSync(credentialsOf(folder.path), "utf8")).not.toContain(token);
  expect(await starform(["whoami"], { cwd: folder.path })).toMatchObject({ code: 1 });
});

test.skipIf(!existsSync("/dev/full"))("a full disk is told, and what was stored stays", async () => {
  await using platform = await fakePlatform(whoami);
  using folder = await aFolder("shop");
  const login = () =>
    starform(["login", platform.url, "--token"], { cwd: folder.path, input: `${platform.token}\n` });
  expect((await login()).code).toBe(0);
  const path = credentialsOf(folder.path);
  const before = readFileSync(path, "utf8");
  symlinkSync("/dev/full", `${path}.${process.pid}`);
  const { code, stderr } = await login();
  expect(code).toBe(1);
  expect(stderr).toBe(
    `✗ ${realpathSync(path)} cannot be written, because the disk of this computer is full: free some space, and type the command again\n`,
  );
  expect(readFileSync(path, "utf8")).toBe(before);
});

test("a sign-in link gives this machine a token of its own, which logout revokes", async () => {
  const token = "sf_machine_token_1";
  await using platform = await fakePlatform(withLinks(token), token);
  using folder = await aFolder("shop");
  const login = await starform(["login", `${platform.url}/sign-in?code=once`], { cwd: folder.path });
  expect(login.code).toBe(0);
  expect(platform.calls.find(({ id }) => id === "createToken")?.input.body).toMatchObject({
    name: "starform on laptop",
  });
  expect((await starform(["whoami"], { cwd: folder.path })).code).toBe(0);
  const again = await starform(["login", `${platform.url}/sign-in?code=once`], { cwd: folder.path });
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("used already") as string });
  expect((await starform(["logout"], { cwd: folder.path })).code).toBe(0);
  expect(platform.calls.some(({ id }) => id === "deleteToken")).toBe(true);
  expect(said(login) + said(again)).not.toContain(token);
});

test("a wrong token is refused with the way to a new one, and nothing is stored", async () => {
  await using platform = await fakePlatform(withLinks("sf_right"));
  using folder = await aFolder("shop");
  const { code, stderr } = await starform(["login", platform.url], {
    cwd: folder.path,
    answers: ["sf_wrong_one"],
  });
  expect(code).toBe(1);
  expect(stderr).toContain("tokens create");
  expect(stderr).not.toContain("sf_wrong_one");
  expect(() => statSync(credentialsOf(folder.path))).toThrow("ENOENT");
});

test("STARFORM_URL and STARFORM_TOKEN work without a login", async () => {
  await using platform = await fakePlatform(whoami);
  using folder = await aFolder("shop");
  const env = { STARFORM_URL: `${platform.url}/`, STARFORM_TOKEN: platform.token };
  expect((await starform(["whoami"], { cwd: folder.path, env })).code).toBe(0);
});

test("a STARFORM_URL that is no address is exit 2, and a scheme may be left out", async () => {
  await using platform = await fakePlatform(whoami);
  using folder = await aFolder("shop");
  const at = (STARFORM_URL: string) =>
    starform(["whoami"], { cwd: folder.path, env: { STARFORM_URL, STARFORM_TOKEN: platform.token } });
  expect(await at("ftp://x")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no address") as string,
  });
  expect((await at(platform.url.replace("http://", ""))).code).toBe(0);
});

test("a platform that is not there is one sentence with its address", async () => {
  using folder = await aFolder("shop");
  const env = { STARFORM_URL: "http://127.0.0.1:1", STARFORM_TOKEN: "sf_x" };
  const { code, stderr } = await starform(["whoami"], { cwd: folder.path, env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^✗ http:\/\/127\.0\.0\.1:1 cannot be reached .*\n$/);
});

test("in a clone whose platform runs, its owner needs no login", async () => {
  await using platform = await fakePlatform(whoami);
  const state = JSON.stringify({ apiUrl: platform.url });
  using clone = await aFolder("clone", {
    ".starform/run/state.json": state,
    ".starform/secrets/owner-token": `${platform.token}\n`,
  });
  const ran = await starform(["whoami"], { cwd: clone.path, cloneDir: clone.path });
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining(platform.url) as string });
  expect(said(ran)).not.toContain(platform.token);
  const elsewhere = await starform(["whoami"], {
    cwd: clone.path,
    cloneDir: clone.path,
    env: { STARFORM_URL: "http://127.0.0.1:1" },
  });
  expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining("not signed in") as string });
});
