import { chmodSync, readFileSync, writeFileSync, mkdtempSync, rmSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./eventually.ts";
import { afterEach, expect, test, vi } from "vitest";
import type { Engine, InstanceSpec } from "../src/adapters/local/engine.ts";
import { openProcessEngine } from "../src/adapters/local/process/process-engine.ts";
import { processImage } from "./process-image.ts";
import { sampleApp } from "./sample-app.ts";

vi.setConfig({ testTimeout: 120_000 });
const dirs: string[] = [];
const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) {
    for (const { id } of await engine.list()) await engine.remove(id);
    await engine[Symbol.asyncDispose]();
  }
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});
const aDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "starform-engine-"));
  dirs.push(dir);
  return dir;
};
async function anEngine(dir: string, confinement: "auto" | "none" = "auto"): Promise<Engine> {
  const engine = await openProcessEngine({
    dir,
    imagesDir: join(dir, "images"),
    searchPath: process.env["PATH"] ?? "",
    confinement,
    warn: () => undefined,
  });
  engines.push(engine);
  return engine;
}
const spec = (dir: string, cmd: string, own: Partial<InstanceSpec> = {}): InstanceSpec => ({
  id: `app-${Math.random().toString(36).slice(2, 10)}`,
  labels: { "starform.io/service-id": "one" },
  image: processImage(join(dir, "images"), sampleApp, { cmd }),
  command: null,
  env: {},
  port: null,
  limits: { cpuMillis: 1_000, memoryBytes: 128 << 20, processesMax: 64 },
  hasReadOnlyRoot: false,
  volumes: [],
  ...own,
});
async function outputOf(engine: Engine, id: string): Promise<string> {
  let text = "";
  for await (const { bytes } of engine.output(id, undefined, AbortSignal.timeout(30_000)))
    text += Buffer.from(bytes).toString();
  return text;
}
/** The sandbox belongs to what a set-up brings: where tests are the gate, its absence must not pass for a success. */
function sandboxed(engine: Engine): boolean {
  const has = engine.capabilities.includes("sandbox");
  if (!has && process.env["CI"] && process.getuid?.() === 0 && readdirSync("/usr/bin").includes("bwrap"))
    throw new Error("bubblewrap is installed and does not work here");
  return has;
}

test("shows an app its own tree and programs, and neither the platform's files, nor other processes, nor its rights", async ({
  skip,
}) => {
  const dir = aDir();
  const engine = await anEngine(dir);
  if (!sandboxed(engine)) return skip();
  writeFileSync(join(dir, "secret"), "the cluster token", { mode: 0o644 });
  const look = spec(
    dir,
    `ls ${dir} /root /etc/shadow /work 2>&1; ls /proc | grep -c '^[0-9]'; id -u; touch here && echo wrote; echo x > /usr/x; grep CapEff /proc/self/status; cat /etc/passwd; npm --version; node -p process.version`,
  );
  await engine.start(look);
  const text = await outputOf(engine, look.id);
  expect(text).not.toContain("secret");
  expect(text).not.toContain("images");
  expect(text.match(/No such file or directory|cannot access|cannot open/g)?.length).toBeGreaterThanOrEqual(
    4,
  );
  expect(text).toMatch(/CapEff:\s+0000000000000000/);
  expect(text).toMatch(/Read-only file system|Permission denied|cannot create \/usr\/x/);
  expect(text).toContain(process.version);
  expect(/^wrote$/m.test(text)).toBe(engine.capabilities.includes("writable-app"));
  expect(readdirSync(join(dir, "images/sha256", look.image.slice(-64), "app"))).not.toContain("here");
});

test("lets an app find the apps that its variables name", async ({ skip }) => {
  const dir = aDir();
  const engine = await anEngine(dir);
  if (!sandboxed(engine)) return skip();
  const env = { API_URL: "http://api-shop.localhost:4402/v1" };
  const look = spec(dir, "getent hosts api-shop.localhost; getent hosts localhost; echo looked", { env });
  expect(await engine.start(look)).toMatchObject({ kind: "started" });
  expect(await outputOf(engine, look.id)).toMatch(/^127\.0\.0\.1\s+api-shop\.localhost\n[\s\S]*looked/);
});

test("holds an app to its memory and its number of processes, and tells what killed it", async ({ skip }) => {
  const dir = aDir();
  const engine = await anEngine(dir);
  if (!engine.capabilities.includes("memory-limit")) return skip();
  const leak = spec(dir, "MODE=leak node server.mjs", {
    limits: { cpuMillis: 1_000, memoryBytes: 48 << 20, processesMax: 64 },
  });
  const bomb = spec(dir, ":(){ :|:& }; sleep 0.2; for i in $(seq 200); do sleep 5 & done; wait");
  for (const each of [leak, bomb]) await engine.start(each);
  const exit = await until("it was killed", async () => (await engine.find(leak.id))?.exit);
  expect(exit).toMatchObject({ isOom: true, isLost: false });
  await until("the system refuses more", async () => {
    const text = await readOutput(dir, bomb.id, "err");
    return /fork|Resource temporarily unavailable/.test(text);
  });
  await engine.remove(bomb.id);
  expect((await engine.list()).map(({ id }) => id)).toEqual([leak.id]);
});
const readOutput = (dir: string, id: string, name: string): Promise<string> =>
  Promise.resolve(readFileSync(join(dir, "instances", id, name), "utf8"));

test("lets a command behind npm finish its work", async () => {
  const dir = aDir();
  const engine = await anEngine(dir);
  const manifest = JSON.stringify({ scripts: { start: "node app.mjs" } });
  const source = `setInterval(() => console.log("tick"), 100);
process.on("SIGTERM", () => setTimeout(() => { console.log("finished"); process.exit(); }, 1_000));`;
  const files = `echo '${manifest}' > package.json; echo '${source}' > app.mjs`;
  const app = spec(dir, `cd /tmp; ${files}; npm run start`);
  await engine.start(app);
  await until("it runs", async () => (await readOutput(dir, app.id, "out")).includes("tick"));
  expect(await engine.stop(app.id, 10_000)).toBe("ended");
  expect(await outputOf(engine, app.id)).toMatch(/finished\n$/);
});

test("asks an app behind yarn alone to end, and neither yarn nor what the app started", async () => {
  const dir = aDir();
  const engine = await anEngine(dir);
  const running = (command: string) =>
    `const child = require("child_process").spawn("sh", ["-c", ${JSON.stringify(command)}], { stdio: "inherit" });`;
  const yarn = `${running("node app.js; exit $?")}
process.on("SIGTERM", () => { child.kill(); process.exit(1); });
child.on("exit", (code) => process.exit(code));`;
  const app = `${running("node work.js; true")}
process.on("SIGTERM", () => { console.log("finished"); process.exit(3); });`;
  const work = `process.on("SIGTERM", () => console.log("torn off"));
setInterval(() => console.log("tick"), 100);`;
  const files = Object.entries({ yarn, app, work }).map(
    ([name, text]) => `cat > ${name}.js <<'EOF'\n${text}\nEOF`,
  );
  const started = spec(dir, ["cd /tmp", ...files, "node yarn.js start"].join("\n"));
  await engine.start(started);
  await until("it runs", async () => (await readOutput(dir, started.id, "out")).includes("tick"));
  expect(await engine.stop(started.id, 10_000)).toBe("ended");
  const said = await outputOf(engine, started.id);
  expect(said).toContain("finished");
  expect(said).not.toContain("torn off");
  expect((await engine.find(started.id))?.exit).toMatchObject({ exitCode: 3 });
});

test("lets a command behind a shell end by itself, and ends at once what does not hear", async () => {
  const dir = aDir();
  const engine = await anEngine(dir);
  const polite = spec(dir, "echo begin; node worker.mjs; echo after $?");
  const deaf = spec(dir, "trap '' TERM; echo begin; while true; do sleep 1; done");
  for (const each of [polite, deaf]) await engine.start(each);
  for (const each of [polite, deaf])
    await until("it runs", async () =>
      (await readOutput(dir, each.id, "out")).includes(each === polite ? "tick" : "begin"),
    );
  const stopped = await Promise.all([engine.stop(polite.id, 10_000), engine.stop(deaf.id, 300)]);
  expect(stopped).toEqual(["ended", "killed"]);
  expect(await engine.stop(deaf.id, 300)).toBe("ended");
  expect(await outputOf(engine, polite.id)).toMatch(/worker done\nafter 0\n$/);
  expect((await engine.find(polite.id))?.exit).toMatchObject({ exitCode: 0 });
  expect((await engine.find(deaf.id))?.exit?.exitCode).toBe(137);
});

test("finds instances again, and tells those that ended with the machine from those that crashed", async () => {
  const dir = aDir();
  const first = await anEngine(dir);
  const [lives, crashes, lost] = [
    spec(dir, "node worker.mjs"),
    spec(dir, "exit 7"),
    spec(dir, "node worker.mjs"),
  ];
  for (const each of [lives, crashes, lost]) await first.start(each);
  await until("one has ended", async () => (await first.find(crashes.id))?.exit);
  await first.stop(lost.id, 0);
  rmSync(join(dir, "instances", lost.id, "exit"), { force: true });
  writeFileSync(join(dir, "instances", lost.id, "born"), "1 0b0a7e5e-0000-4000-8000-000000000000:1");
  const second = await anEngine(dir);
  const byId = new Map((await second.list()).map((instance) => [instance.id, instance]));
  expect(byId.get(lives.id)).toMatchObject({ exit: undefined, labels: lives.labels });
  expect(byId.get(crashes.id)?.exit).toMatchObject({ exitCode: 7, isLost: false });
  expect(byId.get(lost.id)?.exit).toMatchObject({ exitCode: null, isLost: true });
  const told = new Set<string>();
  second.watch((id) => told.add(id));
  await first.stop(lives.id, 5_000);
  await until("the end of a found one is told", () => told.has(lives.id));
});

test("reads output from where it was read to, and gives back the disk of what was read", async () => {
  const dir = aDir();
  const engine = await anEngine(dir);
  const writer = spec(
    dir,
    `node -e 'const l="x".repeat(1023)+"\\n";let n=0;const w=()=>{while(n++<20000)if(!process.stdout.write(l))return process.stdout.once("drain",w)};w();setTimeout(()=>{},1e7)'`,
  );
  await engine.start(writer);
  let [bytes, cursor] = [0, ""];
  const isAll = () => bytes >= 20_000 * 1024;
  const reading = new AbortController();
  for await (const chunk of engine.output(writer.id, undefined, reading.signal)) {
    bytes += chunk.bytes.length;
    cursor = chunk.cursor;
    if (isAll()) break;
  }
  expect([bytes, cursor]).toEqual([20_000 * 1024, `${20_000 * 1024}:0`]);
  const going = (async () => {
    for await (const chunk of engine.output(writer.id, cursor, reading.signal)) bytes += chunk.bytes.length;
  })();
  await until("the file was let go", async () => (await readOutput(dir, writer.id, "out")).length < 16 << 20);
  reading.abort();
  await going;
  expect(bytes).toBe(20_000 * 1024);
});

test("refuses what no machine can run, with the way out", async () => {
  const dir = aDir();
  const engine = await anEngine(dir);
  const reasonOf = async (own: Partial<InstanceSpec>, cmd = "true") => {
    const result = await engine.start(spec(dir, cmd, own));
    return result.kind === "refused" ? result.refusal.reason : "started";
  };
  expect(await reasonOf({ env: { BIG: "x".repeat(1 << 20) } })).toMatch(
    /^the variable BIG has 1024 KiB .*128 KiB: put it into a file$/,
  );
  expect(await reasonOf({ env: { NUL: "a\0b" } })).toMatch(/NUL character/);
  expect(await reasonOf({ image: "starform.local/p/s:latest" })).toMatch(/is not on this machine/);
  expect(await reasonOf({}, " ")).toMatch(/no start command/);
  expect(await engine.list()).toEqual([]);
});

test("runs apps as plain processes where nothing else is allowed", async () => {
  const dir = aDir();
  const engine = await anEngine(dir, "none");
  const app = spec(dir, "node server.mjs", { port: 8080, env: { VERSION: "plain", TRICKY: "it's $HOME" } });
  const result = await engine.start(app);
  const port = result.kind === "started" ? result.instance.port : null;
  const answer = await until("it answers", () =>
    fetch(`http://127.0.0.1:${port}/`).then((response) => response.text()),
  );
  expect(answer).toContain("version plain");
  expect(await engine.listeners(app.id)).toMatchObject(process.platform === "linux" ? [{ port }] : []);
  expect((await engine.usage()).get(app.id)?.memoryWorkingSetBytes).toBeGreaterThan(1 << 20);
  await engine.stop(app.id, 5_000);
  expect((await engine.find(app.id))?.exit).toMatchObject({ exitCode: 0 });
  expect(engine.capabilities).toEqual([]);
});

test.each(["auto", "none"] as const)(
  "a program that the image brings goes before this machine's (confinement %s)",
  async (confinement) => {
    const dir = aDir();
    const engine = await anEngine(dir, confinement);
    const tools = { "own/bin/node": "#!/bin/sh\necho the node of the image\n" };
    const image = processImage(join(dir, "images"), tools, {
      cmd: "node --version",
      paths: ["/app/own/bin"],
    });
    chmodSync(join(dir, "images", "sha256", image.split(":").at(-1)!, "app/own/bin/node"), 0o755);
    const app = spec(dir, "", { image });
    await engine.start(app);
    expect(await outputOf(engine, app.id)).toBe("the node of the image\n");
  },
);
