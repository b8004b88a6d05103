import { getService } from "@starform/contract/services";
import { listVariables } from "@starform/contract/variables";
import { Fault } from "@starform/std/fault";
import { expect, test } from "vitest";
import { fakePlatform, on } from "./fake-platform.ts";
import { aFolder, starform } from "./run-starform.ts";
import { aService } from "./sample-answers.ts";

const app = {
  "package.json": '{"scripts":{"start":"node server.js"},"engines":{"node":"22"},"dependencies":{"a":"1"}}',
  "server.js": "",
};
const digest = `sha256:${"b".repeat(64)}`;

test("a plan is made with the variables that --env gives, or names of the shell's", async () => {
  using folder = await aFolder("app", app);
  const plan = async (...words: string[]) =>
    (await starform(["plan", ...words], { cwd: folder.path, env: { RAILPACK_NODE_VERSION: "18" } })).stdout;
  expect(await plan()).toMatch(/^node +22 /m);
  expect(await plan("--env", "RAILPACK_NODE_VERSION=20")).toMatch(/^node +20 /m);
  expect(await plan("--env", "RAILPACK_NODE_VERSION", "--env", "RAILPACK_START_CMD=node a=b.js")).toMatch(
    /^node +18 [\s\S]*start +node a=b\.js$/m,
  );
  const { secrets } = JSON.parse(await plan("--json", "--env", "NPM_TOKEN=s3cret")) as { secrets: string[] };
  expect(secrets).toEqual(["NPM_TOKEN"]);
});

test("a plan of a service's folder is what its builds make, and without an answer says so", async () => {
  let isAway = false;
  await using platform = await fakePlatform({
    ...on(getService, () => {
      if (isAway) throw new Fault("unavailable", "the database is away");
      return aService({ settings: { ...aService().settings, startCommand: "node other.js" } });
    }),
    ...on(listVariables, () => ({
      items: [
        {
          name: "RAILPACK_NODE_VERSION",
          isSecret: false,
          value: "20",
          resolved: null,
          digest,
          group: null,
          updatedAt: "2026-11-29T11:00:00.000Z",
        },
      ],
      checksum: digest,
    })),
  });
  using folder = await aFolder("app", app);
  const env = {
    STARFORM_URL: platform.url,
    STARFORM_TOKEN: platform.token,
    STARFORM_PROJECT: "shop",
    STARFORM_SERVICE: "web",
  };
  const plan = (...words: string[]) => starform(["plan", ...words], { cwd: folder.path, env });
  const planned = await plan();
  expect(planned.stdout).toMatch(/^node +20 [\s\S]*start +node other\.js$/m);
  expect(planned.stderr).toMatch(/as web in production is built: with its settings and 11 variables/);
  expect((await plan("--env", "RAILPACK_NODE_VERSION=18")).stdout).toMatch(/^node +18 /m);
  isAway = true;
  const alone = await plan();
  expect(alone).toMatchObject({ code: 0, stdout: expect.stringMatching(/^node +22 /m) });
  expect(alone.stderr).toMatch(/without what the service is built with: the database is away/);
});

test("the text of a plan keeps a step's command apart from its name, however long that is", async () => {
  using folder = await aFolder("app", app);
  const { stdout } = await starform(["plan"], { cwd: folder.path });
  expect(stdout).toMatch(/^ {2}packages:mise {2}install mise packages: node$/m);
  expect(stdout).toMatch(/^ {2}install {8}npm install$/m);
  expect(stdout).toMatch(/^ {2}start {10}npm run start$/m);
});
