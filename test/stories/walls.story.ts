import { readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setVariables } from "@starform/contract/variables";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { untilAnswers, visit } from "@starform/testkit/visit";
import { afterAll, beforeAll, expect, test, type TestContext } from "vitest";
import { throughApi, type Files, type ThroughApi } from "./through-api.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const treasure = "the-neighbours-treasure";
const secret = `${treasure}-in-a-variable`;

/** An app that does what it is asked for from inside: runs what is posted to it and answers what came of it. */
const spy: Files = {
  "package.json": JSON.stringify({ name: "spy", scripts: { start: "node server.mjs" } }),
  "server.mjs": `import { createServer } from "node:http";

createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  if (body === "") return response.end("the spy is in");
  const attempt = await import("data:text/javascript," + encodeURIComponent(body));
  const seen = await attempt.default().catch((error) => ({ error: String(error) }));
  response.end(JSON.stringify(seen ?? null));
}).listen(Number(process.env.PORT));
`,
};

/** What its plan (as Railpack's for Node), npm and the shell that start it add. */
const ofItsStart = /^(CI|NODE|NODE_ENV|COLOR|EDITOR|INIT_CWD|PWD|OLDPWD|SHLVL|_|NPM_CONFIG_\w+|npm_\w+)$/;

let platform: Platform;
let api: ThroughApi;
beforeAll(async () => {
  platform = await openPlatform();
  api = await throughApi(platform, "walls");
  await api.create("spy");
  await api.create("neighbour");
  const params = { project: "walls", service: "neighbour" };
  await api.call(setVariables, {
    params,
    body: { variables: { TREASURE: { value: secret, isSecret: true } } },
  });
  const deployed = await Promise.all([
    api.deploy("spy", spy),
    api.deploy("neighbour", { ...spy, [`${treasure}.txt`]: "in a file" }),
  ]);
  expect(deployed.map(({ status, reason }) => ({ status, reason }))).toEqual(
    deployed.map(() => ({ status: "deployed", reason: null })),
  );
  await untilAnswers(api.url("spy"), "the spy is in");
  await untilAnswers(api.url("neighbour"), "the spy is in");
});
afterAll(() => platform?.[Symbol.asyncDispose]());

/** Runs the code in an app and answers what it returned. */
async function inside<T>(code: string, service = "spy"): Promise<T> {
  const { status, body } = await visit(api.url(service), {
    method: "POST",
    body: `export default async () => {${code}}`,
  });
  expect(status).toBe(200);
  return JSON.parse(body) as T;
}
const port = (nth: number): number => Number(new URL(platform.dashboardUrl).port) + nth;
/** Everything that opens something, by its name. */
const secrets = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(platform.dataDir, "secrets")).map((name) => [
      name,
      readFileSync(join(platform.dataDir, "secrets", name), "utf8").trim(),
    ]),
  );

/** Without a sandbox, which the start says loudly, an app sees the machine's files. */
function needsSandbox({ skip }: TestContext): void {
  if (/"capabilities":\[[^\]]*"sandbox"/.test(platform.logs("shuttle"))) return;
  if (process.env["CI"] && process.getuid?.() === 0 && readdirSync("/usr/bin").includes("bwrap"))
    throw new Error("bubblewrap is installed and does not work here");
  skip("this machine has no sandbox");
}

test("an app's environment holds what it was given and what the platform promises, and nothing else", async () => {
  const env = await inside<Record<string, string>>("return process.env;");
  expect(
    Object.keys(env)
      .filter((name) => !ofItsStart.test(name))
      .toSorted(),
  ).toEqual(
    [
      ["HOME", "LANG", "PATH", "PORT"],
      ["STARFORM_DEPLOYMENT_ID", "STARFORM_ENVIRONMENT_ID", "STARFORM_ENVIRONMENT_NAME"],
      ["STARFORM_INSTANCE_ID", "STARFORM_PRIVATE_DOMAIN", "STARFORM_PRIVATE_URL", "STARFORM_PROJECT_ID"],
      ["STARFORM_PROJECT_NAME", "STARFORM_PUBLIC_DOMAIN", "STARFORM_PUBLIC_URL", "STARFORM_REPLICA_ID"],
      ["STARFORM_SERVICE_ID", "STARFORM_SERVICE_NAME"],
    ].flat(),
  );
  const text = JSON.stringify(env);
  const leaked = Object.entries({ ...secrets(), dataDir: platform.dataDir, secret, root });
  expect(leaked.filter(([, value]) => text.includes(value)).map(([name]) => name)).toEqual([]);
  expect(await inside<string>("return process.env.TREASURE;", "neighbour")).toBe(secret);
});

test("it finds neither the platform's files nor another app's, and can write only into its own", async (context) => {
  needsSandbox(context);
  const { dataDir } = platform;
  const own = [
    "",
    "/secrets/owner-token",
    "/secrets/cluster-token",
    "/postgres",
    "/images",
    "/run/state.json",
  ];
  const machine = [
    "/etc/shadow",
    "/etc/hostname",
    `${homedir()}/.ssh`,
    "/var/run/docker.sock",
    "/proc/kcore",
  ];
  const files = [...own.map((name) => dataDir + name), ...machine, root];
  const seen = await inside<Record<string, string>>(`
    const { readFileSync, readdirSync, statSync } = await import("node:fs");
    const look = (path) => {
      try {
        return statSync(path).isDirectory() ? readdirSync(path).length + " entries" : readFileSync(path).length + " bytes";
      } catch {
        return "nothing";
      }
    };
    return Object.fromEntries(${JSON.stringify(files)}.map((path) => [path, look(path)]));`);
  expect(seen).toEqual(Object.fromEntries(files.map((path) => [path, "nothing"])));

  const search = (service: string) =>
    inside<string>(
      `const { spawnSync } = await import("node:child_process");
       return spawnSync("find", ["/", "-path", "/proc", "-prune", "-o", "-name", "${treasure}*", "-print"]).stdout.toString().trim();`,
      service,
    );
  expect(await search("neighbour")).toBe(`/app/${treasure}.txt`);
  expect(await search("spy")).toBe("");

  const written = await inside<string[]>(`
    const { writeFileSync } = await import("node:fs");
    return ["/usr/bin/x", "/etc/x", "/x", "/proc/sys/kernel/hostname", "/sys/fs/cgroup/x", "/run/starform/bin/x"].filter((path) => {
      try {
        writeFileSync(path, "x");
        return true;
      } catch {
        return false;
      }
    });`);
  expect(written).toEqual([]);
});

test("it sees no process but its own, and no rights of root", async (context) => {
  needsSandbox(context);
  const others = (await platform.processes()).flatMap(({ pid }) => pid ?? []);
  const seen = await inside<{
    environments: string;
    count: number;
    reached: number[];
    rights: string;
    uid: number;
  }>(`
    const { readFileSync, readdirSync } = await import("node:fs");
    const read = (path) => { try { return readFileSync(path, "utf8"); } catch { return ""; } };
    const pids = readdirSync("/proc").filter((name) => /^\\d+$/.test(name));
    const reached = ${JSON.stringify(others)}.filter((pid) => {
      try { return process.kill(pid, 0) && !pids.includes(String(pid)); } catch { return false; }
    });
    return {
      environments: pids.map((pid) => read("/proc/" + pid + "/environ") + read("/proc/" + pid + "/cmdline")).join(),
      count: pids.length,
      reached,
      rights: /CapEff:\\s*(\\w+)/.exec(read("/proc/self/status"))[1],
      uid: process.getuid(),
    };`);
  expect(seen).toMatchObject({ reached: [], rights: "0000000000000000" });
  expect(seen.count).toBeLessThan(10);
  expect(seen.uid).not.toBe(0);
  const known = Object.entries({ ...secrets(), secret });
  expect(known.filter(([name, value]) => name !== "cluster-id" && seen.environments.includes(value))).toEqual(
    [],
  );
  expect(seen.environments).not.toContain(treasure);
});

test("the platform's own doors, which it can reach, open to nobody without the key", async () => {
  const clusterId = secrets()["cluster-id"];
  const doors = [
    `${port(1)}/v1/me`,
    `${port(1)}/v1/projects`,
    `${port(1)}/api/v1/clusters/${clusterId}/desired-state`,
    `${port(1)}/git/walls/neighbour.git/info/refs?service=git-upload-pack`,
    `${port(3)}/routes`,
    `${port(3)}/metrics`,
    `${port(4)}/metrics`,
    `${port(5)}/?query=select%20*%20from%20logs.customer_logs`,
    `${port(5)}/?user=starform&password=&query=select%201`,
    `${port(5)}/?user=default&query=select%201`,
  ];
  const metrics = (await platform.processes()).some(({ name }) => name === "metrics");
  if (metrics) doors.push(`${port(7)}/api/v1/query?query=up`, `${port(7)}/api/v1/export?match[]=up`);
  const answers = await inside<Record<string, number>>(`
    const ask = async (door) => (await fetch("http://127.0.0.1:" + door)).status;
    const doors = ${JSON.stringify(doors)};
    return Object.fromEntries(await Promise.all(doors.map(async (door) => [door, await ask(door)])));`);
  const opened = Object.entries(answers).filter(([, status]) => ![401, 403, 404, 516].includes(status));
  expect(opened).toEqual([]);
});

test("PostgreSQL asks it for a password, whoever it says it is", async () => {
  const said = await inside<Record<string, string>>(`
    const { connect } = await import("node:net");
    const greet = (user) => new Promise((resolve, reject) => {
      const words = Buffer.from("user\\0" + user + "\\0database\\0starform\\0\\0");
      const head = Buffer.alloc(8);
      head.writeInt32BE(words.length + 8, 0);
      head.writeInt32BE(196608, 4);
      const socket = connect(${port(6)}, "127.0.0.1", () => socket.write(Buffer.concat([head, words])));
      socket.on("error", reject);
      socket.once("data", (data) => {
        resolve(data.toString("latin1", 0, 1) + data.readInt32BE(5));
        socket.destroy();
      });
    });
    const users = ["starform", "postgres", "root"];
    return Object.fromEntries(await Promise.all(users.map(async (user) => [user, await greet(user)])));`);
  // R: an authentication request; 10: by SCRAM, where 0 would be "welcome".
  expect(said).toEqual({ starform: "R10", postgres: "R10", root: "R10" });
});
