import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getProject } from "@starform/contract/projects";
import { getService, listServices } from "@starform/contract/services";
import { listVariables } from "@starform/contract/variables";
import { Fault } from "@starform/std/fault";
import { expect, test } from "vitest";
import { fakePlatform, on, type Handlers } from "./fake-platform.ts";
import { aFolder, starform } from "./run-starform.ts";
import { aProject, aService } from "./sample-answers.ts";

const app = (at = "") => ({
  [`${at}package.json`]: '{"scripts":{"start":"node server.js","build":"make"},"dependencies":{"a":"1"}}',
  [`${at}server.js`]: "",
});
const digest = `sha256:${"b".repeat(64)}`;
const aVariable = (name: string, value: string | null) => ({
  name,
  isSecret: value === null,
  value,
  resolved: null,
  digest,
  group: null,
  updatedAt: "2026-11-29T11:00:00.000Z",
});
const world = (settings: Partial<ReturnType<typeof aService>["settings"]> = {}): Handlers => {
  const service = aService({ settings: { ...aService().settings, ...settings } });
  return {
    ...on(getService, () => service),
    ...on(listServices, () => ({ items: [service] })),
    ...on(listVariables, () => ({
      items: [
        aVariable("NEXT_PUBLIC_TITLE", "the plain value"),
        aVariable("NPM_TOKEN", null),
        aVariable("RAILPACK_NODE_VERSION", "20"),
      ],
      checksum: digest,
    })),
  };
};
const linked = (url: string, token: string) => ({
  STARFORM_URL: url,
  STARFORM_TOKEN: token,
  STARFORM_PROJECT: "shop",
  STARFORM_SERVICE: "web",
});

test("an ejected Dockerfile lies in the root directory that starform.json says, where the build looks", async () => {
  using folder = await aFolder("mono", {
    ...app("apps/web/"),
    "starform.json": '{"rootDirectory":"apps/web"}',
  });
  const { code, stdout } = await starform(["eject"], { cwd: folder.path });
  expect(code).toBe(0);
  expect(stdout).toContain("the next deployment is built by it");
  expect(existsSync(join(folder.path, "Dockerfile"))).toBe(false);
  expect(readFileSync(join(folder.path, "apps/web/Dockerfile"), "utf8")).toContain("COPY package.json");
  expect(existsSync(join(folder.path, "apps/web/.dockerignore"))).toBe(true);
  const planned = await starform(["plan", "--json"], { cwd: folder.path });
  expect(JSON.parse(planned.stdout)).toEqual({ dockerfile: "Dockerfile" });
});

test("an ejected Dockerfile that the builds pass over says so, and what to change", async () => {
  using folder = await aFolder("app", { ...app(), "starform.json": '{"builder":"railpack"}' });
  const { stdout } = await starform(["eject"], { cwd: folder.path });
  expect(stdout).toMatch(/pass it over, because starform\.json says "builder": "railpack": take that out/);
  const again = await starform(["eject"], { cwd: folder.path });
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/Dockerfile is there already/) });

  await using platform = await fakePlatform(world({ builder: "plan" }));
  using other = await aFolder("other", app());
  const env = linked(platform.url, platform.token);
  expect((await starform(["eject"], { cwd: other.path, env })).stdout).toMatch(
    /the builder of web is set to the plan: write "builder": "auto" into starform\.json/,
  );
});

test("an ejected Dockerfile has the settings of its service, and mounts its variables by name", async () => {
  await using platform = await fakePlatform(world({ buildCommand: "make everything" }));
  using folder = await aFolder("app", app());
  const env = linked(platform.url, platform.token);
  const { code, stdout } = await starform(["eject", "--env", "EXTRA=of my own"], { cwd: folder.path, env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/mounts the 14 variables that web has in production/);
  const dockerfile = readFileSync(join(folder.path, "Dockerfile"), "utf8");
  for (const name of ["NEXT_PUBLIC_TITLE", "NPM_TOKEN", "STARFORM_PUBLIC_URL", "EXTRA"])
    expect(dockerfile).toContain(`--mount=type=secret,id=${name} `);
  expect(dockerfile).toContain("make everything");
  expect(dockerfile).toMatch(/\bnode@?\S* ?=? ?"?20/);
  expect(dockerfile).not.toMatch(/the plain value|of my own|RAILPACK_BUILD_CMD/);
});

test("the folder of one service of a linked repository is ejected as that service is built", async () => {
  await using platform = await fakePlatform({
    ...world({ rootDirectory: "apps/web" }),
    ...on(getProject, () => aProject()),
  });
  using folder = await aFolder("mono", app("apps/web/"));
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  expect((await starform(["link", "shop"], { cwd: folder.path, env })).code).toBe(0);
  const cwd = join(folder.path, "apps/web");
  const { stdout } = await starform(["eject"], {
    cwd,
    env: { ...env, XDG_CONFIG_HOME: join(folder.path, "../home/.config") },
  });
  expect(stdout).toContain(`wrote ${join(cwd, "Dockerfile")}`);
  expect(readFileSync(join(cwd, "Dockerfile"), "utf8")).toContain("id=NPM_TOKEN ");
});

test("a service that cannot be asked for ejects nothing that would be built otherwise", async () => {
  await using platform = await fakePlatform({
    ...world(),
    ...on(listVariables, () => {
      throw new Fault("unavailable", "the database is away");
    }),
  });
  using folder = await aFolder("app", app());
  const env = linked(platform.url, platform.token);
  const ran = await starform(["eject"], { cwd: folder.path, env });
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/database is away[\s\S]*--env/) });
  expect(existsSync(join(folder.path, "Dockerfile"))).toBe(false);
});

test("a plan that no Dockerfile can say is not ejected, with the reason", async () => {
  using folder = await aFolder("app", {
    ...app(),
    "railpack.json": '{"deploy":{"variables":{"KEY":"one\\ntwo"}}}',
  });
  const ran = await starform(["eject"], { cwd: folder.path });
  expect(ran).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/sets KEY to a text of several lines/),
  });
  expect(existsSync(join(folder.path, "Dockerfile"))).toBe(false);
});

test("without a service the variables are those that --env names", async () => {
  using folder = await aFolder("app", app());
  const ran = await starform(["eject", "--print", "--env", "NPM_TOKEN", "--env", "A=1"], {
    cwd: folder.path,
    env: { NPM_TOKEN: "s3cret" },
  });
  expect(ran.stdout).toContain("--mount=type=secret,id=NPM_TOKEN ");
  expect(ran.stdout).toContain("--mount=type=secret,id=A ");
  expect(ran.stdout).not.toContain("s3cret");
  expect(await starform(["eject", "--print", "--env", "1A=1"], { cwd: folder.path })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--env "1A"'),
  });
});
