import {
  createRegistryPassword,
  deleteRegistry,
  listRegistries,
  putRegistry,
  type RegistryLogin,
} from "@starform/contract/registries";
import { getService, listServices } from "@starform/contract/services";
import { expect, test } from "vitest";
import { fakePlatform, on } from "./fake-platform.ts";
import { aFolder, starform, type RunOptions } from "./run-starform.ts";
import { aService, ids } from "./sample-answers.ts";

const aLogin: RegistryLogin = {
  host: "ghcr.io",
  username: "ada",
  createdBy: "ada@example.com",
  createdAt: "2026-11-29T11:00:00.000Z",
};

const services = [aService(), aService({ id: ids.project, name: "worker" })];

async function registries(words: string[], options: Partial<RunOptions> = {}, items = services) {
  await using platform = await fakePlatform({
    ...on(listServices, () => ({ items })),
    ...on(getService, ({ params }) => items.find(({ name }) => name === params.service)!),
    ...on(listRegistries, () => ({ items: [aLogin] })),
    ...on(putRegistry, ({ params, body }) => ({ ...aLogin, host: params.host, username: body.username })),
    ...on(deleteRegistry, () => undefined),
    ...on(createRegistryPassword, () => ({
      host: "127.0.0.1:4409",
      username: "a-project",
      password: "sfr_secret",
      expiresAt: "2026-11-29T13:00:00.000Z",
      prefix: "127.0.0.1:4409/a-project",
    })),
  });
  using folder = await aFolder("shop", {});
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token, STARFORM_PROJECT: "shop" };
  const ran = await starform(["registries", ...words], { cwd: folder.path, ...options, env });
  return { ...ran, asked: platform.calls.map(({ id, input }) => ({ id, ...input })) };
}

test("lists where the project signs in, as words and as JSON", async () => {
  const words = await registries([]);
  expect(words.stdout).toMatch(/ghcr\.io\s+ada\s+ada@example\.com\s+1 h ago/);
  expect(JSON.parse((await registries(["list", "--json"])).stdout)).toEqual([aLogin]);
});

const add = ["add", "ghcr.io", "--username", "ada"];

test("takes the password from standard input, without its line break, and never shows it", async () => {
  const { code, stdout, stderr, asked } = await registries([...add, "--password-stdin"], {
    input: "a secret \n",
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(asked).toMatchObject([
    {
      id: "putRegistry",
      params: { project: "shop", host: "ghcr.io" },
      body: { username: "ada", password: "a secret " },
    },
  ]);
  expect(stdout).toContain("shop signs in to ghcr.io as ada");
  expect(stdout + stderr).not.toContain("a secret");
});

test("asks a person for the password", async () => {
  const { asked, stderr } = await registries(add, { answers: ["typed"] });
  expect(stderr).toContain("Password of ada at ghcr.io");
  expect(asked).toMatchObject([{ body: { password: "typed" } }]);
});

test.each([
  [add, /pipe it in with --password-stdin/],
  [[...add, "--password-stdin"], /the password is empty/],
  [["add", "ghcr.io", "--password-stdin"], /--username <name>/],
])("%s without what it needs ends with 2 and asks nothing of the platform", async (words, says) => {
  const { code, stderr, asked } = await registries(words);
  expect(code).toBe(2);
  expect(stderr).toMatch(says);
  expect(asked).toEqual([]);
});

test("forgets a sign-in", async () => {
  const { stdout, asked } = await registries(["remove", "ghcr.io"]);
  expect(asked).toMatchObject([{ id: "deleteRegistry", params: { host: "ghcr.io" } }]);
  expect(stdout).toContain("does not sign in to ghcr.io any more");
});

test("puts a password of the platform's own registry alone on standard output", async () => {
  const { stdout, stderr, asked } = await registries(["password", "--push", "--hours", "2"]);
  expect(stdout).toBe("sfr_secret\n");
  expect(stderr).toContain("docker login 127.0.0.1:4409 --username a-project --password-stdin");
  expect(asked.filter(({ id }) => id === "createRegistryPassword")).toMatchObject([
    { body: { access: "push", expiresInSeconds: 7_200 } },
  ]);
});

test("says beside a password what images are named: those of the service that is meant, or of each", async () => {
  const [web, worker] = services.map(({ name, id }) => [name, `127.0.0.1:4409/a-project/${id}`] as const);
  const line = ([name, image]: readonly [string, string]) => `images of ${name} are named ${image}:<tag>\n`;
  const all = await registries(["password"]);
  expect(all.stderr).toContain(line(web!) + line(worker!));
  const one = await registries(["password", "--service", "worker"]);
  expect(one.stderr).toContain(line(worker!));
  expect(one.stderr).not.toContain(line(web!));
  const { stdout } = await registries(["password", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    password: "sfr_secret",
    images: Object.fromEntries([web!, worker!]),
  });
  expect((await registries(["password"], {}, [])).stderr).toContain("there is none yet");
});
