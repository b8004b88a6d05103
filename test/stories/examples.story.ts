import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@starform/std/retry";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { runtimes, type StoryRuntime } from "@starform/testkit/runtimes";
import { openTerminal, type Terminal } from "@starform/testkit/terminal";
import { untilAnswers } from "@starform/testkit/visit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

type Facts = {
  readonly type?: "web" | "worker" | "cron";
  readonly answers?: { readonly path: string; readonly contains: string };
  readonly logs?: string;
};
type Part = Facts & {
  readonly name: string;
  readonly rootDirectory: string;
  readonly cron?: string;
  readonly variables?: Readonly<Record<string, string>>;
};
type Example = Facts & {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly reaches?: readonly string[];
  readonly runtimes?: readonly StoryRuntime["name"][];
  readonly services?: readonly Part[];
};
type Way = "up" | "push";

const root = fileURLToPath(new URL("../../examples", import.meta.url));
const isReached = (url: string) =>
  fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
const all = await Promise.all(
  readdirSync(root)
    .filter((name) => existsSync(join(root, name, "test.json")))
    .map(async (name) => {
      const example = JSON.parse(readFileSync(join(root, name, "test.json"), "utf8")) as Example;
      const reached = await Promise.all((example.reaches ?? []).map(isReached));
      return { ...example, name, hasNetwork: reached.every(Boolean) };
    }),
);
/** Where builds look for programs: what a person keeps in their home does not count. */
const systemPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const isInstalled = (program: string) => systemPath.some((dir) => existsSync(join(dir, program)));
/** On Docker those whose tools are in the quick base; the others install a toolchain from Debian for minutes each. */
const quickOnDocker =
  "dockerfile express fastify monorepo-with-reference next procfile python static vite-react worker-and-cron".split(
    " ",
  );
const canRun = (
  { name, needs = [], runtimes: on, hasNetwork }: (typeof all)[number],
  runtime: StoryRuntime["name"],
) =>
  hasNetwork &&
  (on?.includes(runtime) ?? true) &&
  (runtime === "docker" ? quickOnDocker.includes(name) : needs.every(isInstalled));

const atOnceMax = 2;
/** Builds may wait for each other on a slow machine. */
const patienceMs = 900_000;

describe.each(runtimes())("every example, on the runtime $name", ({ name: runtime }) => {
  const examples = all
    .filter((example) => canRun(example, runtime))
    .map((example, at) => ({ ...example, way: (at % 2 === 0 ? "push" : "up") as Way }));
  const turn = turns(atOnceMax);
  let platform: Platform;
  let person: Terminal;
  beforeAll(async () => {
    platform = await openPlatform({ runtime });
    person = openTerminal(platform);
    console.log(
      `${examples.length} of ${all.length} examples are deployed on the runtime ${runtime}: ${examples.map(({ name }) => name).join(", ")}`,
    );
  });
  afterAll(async () => {
    person?.[Symbol.dispose]();
    await platform?.[Symbol.asyncDispose]();
  });

  test("enough of them can be deployed here to mean something", () => {
    expect(examples.length).toBeGreaterThanOrEqual(8);
    expect(examples.map(({ name }) => name)).toEqual(
      expect.arrayContaining(
        "express fastify monorepo-with-reference next procfile static vite-react worker-and-cron".split(" "),
      ),
    );
  });

  test.concurrent.for(examples)("$name, by $way", { timeout: patienceMs }, (example) =>
    turn(async () => {
      const folder = person.copy(join(root, example.name), example.name);
      if (!example.services) return deployAlone(folder, example);
      await person.json(["projects", "create", example.name], { cwd: folder });
      for (const part of example.services) await deployPart(folder, example, part);
    }),
  );

  async function deployAlone(folder: string, example: Example & { way: Way }): Promise<void> {
    const url = await deploy(folder, example.way, []);
    await untilRight(url, example, [], folder);
  }

  async function deployPart(folder: string, example: Example & { way: Way }, part: Part): Promise<void> {
    const target = ["-p", example.name, "-s", part.name];
    const settings = ["--root", part.rootDirectory, ...(part.cron ? ["--schedule", part.cron] : [])];
    await person.json([
      "services",
      "create",
      part.name,
      "-p",
      example.name,
      "--type",
      part.type ?? "web",
      ...settings,
    ]);
    const variables = Object.entries(part.variables ?? {}).map(([name, value]) => `${name}=${value}`);
    if (variables.length > 0)
      await person.json(["variables", "set", ...variables, "--skip-deploy", ...target]);
    const url = await deploy(folder, example.way, target);
    await untilRight(url, part, target, folder);
  }

  /** Deploys as a person would; resolves to the URL that was printed. */
  async function deploy(folder: string, way: Way, target: readonly string[]): Promise<string> {
    const at = { cwd: folder };
    if (way === "up") return (await person.deploy(["up", "--yes", ...target], at)).url;
    const remote = target.at(-1) ?? "starform";
    if (!existsSync(join(folder, ".git"))) await person.commit(folder, "Begin");
    await person.json(["git", "remote", "--yes", "--name", remote, ...target], at);
    const pushed = await person.git(["push", remote, "main"], at);
    const said = /^remote: deployed(?:: (\S+))?/m.exec(pushed.stderr);
    if (!said) throw new Error(`the push did not deploy:\n${pushed.stderr}`);
    return said[1] ?? "";
  }

  async function untilRight(url: string, { answers, logs }: Facts, target: readonly string[], cwd: string) {
    if (answers) await untilAnswers(url, answers.contains, { path: answers.path });
    if (!logs) return;
    const look = async () =>
      (await person.starform(["logs", "--json", ...target], { cwd })).stdout.includes(logs);
    await until(`the line ${JSON.stringify(logs)}`, look, { withinMs: 120_000, everyMs: 500 });
  }
});

/** Runs what it is given, so many at once. */
function turns(atOnce: number) {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
