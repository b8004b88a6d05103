import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Build, BuildStep } from "@starform/contract/builds";
import type { Deployment } from "@starform/contract/deployments";
import { until } from "@starform/std/retry";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { runtimes, type StoryRuntime } from "@starform/testkit/runtimes";
import { openTerminal, type Terminal } from "@starform/testkit/terminal";
import { untilAnswers } from "@starform/testkit/visit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

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
type Placed = Part & { readonly target: readonly string[] };
type Example = Facts & {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly reaches?: readonly string[];
  readonly runtimes?: readonly StoryRuntime["name"][];
  /** Where the images come from that it is built on: Starform's own bases cannot serve it. */
  readonly reachesOnDocker?: readonly string[];
  readonly services?: readonly Part[];
};
type Way = "up" | "push";

const root = fileURLToPath(new URL("../../examples", import.meta.url));
const isReached = (url: string) =>
  fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5_000) }).then(
    () => true,
    () => false,
  );
const unreached = async (urls: readonly string[] = []): Promise<string[]> => {
  const reached = await Promise.all(urls.map(isReached));
  return urls.filter((_, at) => !reached[at]);
};
const all = await Promise.all(
  readdirSync(root)
    .filter((name) => existsSync(join(root, name, "test.json")))
    .map(async (name) => {
      const example = JSON.parse(readFileSync(join(root, name, "test.json"), "utf8")) as Example;
      const [away, awayOnDocker] = [
        await unreached(example.reaches),
        await unreached(example.reachesOnDocker),
      ];
      return { ...example, name, away: { process: away, docker: [...away, ...awayOnDocker] } };
    }),
);
/** Where builds look for programs: what a person keeps in their home does not count. */
const systemPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const isInstalled = (program: string) => systemPath.some((dir) => existsSync(join(dir, program)));
/** Why an example cannot be deployed here; undefined where it can. */
function whyNot(
  { needs = [], runtimes: on, away }: (typeof all)[number],
  runtime: StoryRuntime["name"],
): string | undefined {
  if (away[runtime].length > 0) return `${away[runtime].join(", ")} cannot be reached`;
  if (on && !on.includes(runtime)) return `it is for ${on.join(", ")} alone`;
  if (runtime === "docker") return undefined;
  const missing = needs.filter((program) => !isInstalled(program));
  return missing.length > 0 ? `${missing.join(", ")} is not installed` : undefined;
}
/** What runs wherever the tests do. Python may be missing on a person's machine, and never where they must all run. */
const always = (runtime: StoryRuntime["name"]) => [
  ..."express fastify monorepo-with-reference next procfile static vite-react worker-and-cron".split(" "),
  ...(process.env["CI"] ? ["python"] : []),
  ...(runtime === "docker" ? ["dockerfile"] : []),
];

/** On each runtime; the runner itself lets every test begin, or those that wait for one runtime would hold up the other. */
const atOnceMax = 2;
vi.setConfig({ maxConcurrency: 100 });
/** With the wait for its turn, and for the bases that the first of them has made. */
const patienceMs = 1_800_000;

describe.concurrent.each(runtimes())("every example, on the runtime $name", ({ name: runtime }) => {
  const examples = all
    .filter((example) => whyNot(example, runtime) === undefined)
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
    for (const example of all)
      if (whyNot(example, runtime)) console.log(`${example.name} is left out: ${whyNot(example, runtime)}`);
  });
  afterAll(async () => {
    person?.[Symbol.dispose]();
    await platform?.[Symbol.asyncDispose]();
  });

  test("enough of them can be deployed here to mean something", () => {
    expect(examples.length).toBeGreaterThanOrEqual(8);
    expect(examples.map(({ name }) => name)).toEqual(expect.arrayContaining(always(runtime)));
  });

  test.concurrent.for(examples)("$name, by $way", { timeout: patienceMs }, (example) =>
    turn(async () => {
      const folder = person.copy(join(root, example.name), example.name);
      const parts: Placed[] = example.services
        ? example.services.map((part) => ({ ...part, target: ["-p", example.name, "-s", part.name] }))
        : [{ ...example, rootDirectory: ".", target: [] }];
      const first = new Map<string, readonly BuildStep[]>();
      if (example.services) await person.json(["projects", "create", example.name], { cwd: folder });
      for (const part of parts) {
        if (example.services) await createService(part);
        await untilRight(await deploy(folder, example.way, part.target), part, folder);
        if (runtime === "docker") first.set(part.name, await newestSteps(part.target, folder));
      }
      if (runtime !== "docker") return;
      for (const part of parts) {
        changeOneLine(join(folder, part.rootDirectory));
        await untilRight(await deploy(folder, example.way, part.target), changed(part), folder);
        expectOnlyWhatDepends(first.get(part.name)!, await newestSteps(part.target, folder));
      }
    }),
  );

  async function createService({ name, type = "web", rootDirectory, cron, variables, target }: Placed) {
    const settings = ["--type", type, "--root", rootDirectory, ...(cron ? ["--schedule", cron] : [])];
    await person.json(["services", "create", name, ...target.slice(0, 2), ...settings]);
    const pairs = Object.entries(variables ?? {}).map(([key, value]) => `${key}=${value}`);
    if (pairs.length > 0) await person.json(["variables", "set", ...pairs, "--skip-deploy", ...target]);
  }

  /** The steps of the last build of a service, from what is kept of it. */
  async function newestSteps(target: readonly string[], cwd: string): Promise<readonly BuildStep[]> {
    const [{ id }] = await person.json<[Deployment]>(["deployments", "list", ...target], { cwd });
    const shown = await person.json<{ build: Build }>(["deployments", "show", id], { cwd });
    return shown.build.report?.steps ?? [];
  }

  /** Deploys as a person would; resolves to the URL that was printed. */
  async function deploy(folder: string, way: Way, target: readonly string[]): Promise<string> {
    const at = { cwd: folder };
    if (way === "up") return (await person.deploy(["up", "--yes", ...target], at)).url;
    const remote = target.at(-1) ?? "starform";
    const isClean =
      existsSync(join(folder, ".git")) && !(await person.git(["status", "--porcelain"], at)).stdout;
    if (!isClean) await person.commit(folder, "Say hello");
    await person.json(["git", "remote", "--yes", "--name", remote, ...target], at);
    const pushed = await person.git(["push", remote, "main"], at);
    const said = /^remote: deployed(?:: (\S+))?/m.exec(pushed.stderr);
    if (!said) throw new Error(`the push did not deploy:\n${pushed.stderr}`);
    return said[1] ?? "";
  }

  async function untilRight(url: string, { answers, logs, target }: Placed, cwd: string) {
    if (answers) await untilAnswers(url, answers.contains, { path: answers.path });
    if (!logs) return;
    const look = async () =>
      (await person.starform(["logs", "--json", ...target], { cwd })).stdout.includes(logs);
    await until(`the line ${JSON.stringify(logs)}`, look, { withinMs: 120_000, everyMs: 500 });
  }
});

const [said, saidAgain] = ["hello from", "hello again from"];

/** Of the one file of the app that says hello. */
function changeOneLine(folder: string): void {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "test.json" && !entry.parentPath.includes("/.git"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const file = files.find((path) => readFileSync(path, "utf8").includes(said));
  if (!file) throw new Error(`nothing in ${folder} says ${said}`);
  writeFileSync(file, readFileSync(file, "utf8").replace(said, saidAgain));
}

const changed = ({ answers, logs, ...part }: Placed): Placed => ({
  ...part,
  ...(answers && { answers: { ...answers, contains: answers.contains.replaceAll(said, saidAgain) } }),
  ...(logs && { logs: logs.replace(said, saidAgain) }),
});

/** What is made of the source; tools and packages come before it. */
const isOfSource = ({ name }: BuildStep): boolean => /^(build|deploy): |\] COPY /.test(name);
const isBase = ({ name }: BuildStep): boolean => /\] FROM /.test(name);

/** Tools and packages were there, as many as the first build brought; what is made of the source was made anew. */
function expectOnlyWhatDepends(first: readonly BuildStep[], second: readonly BuildStep[]): void {
  const brought = (steps: readonly BuildStep[]) => steps.filter((step) => !isOfSource(step) && !isBase(step));
  expect(brought(second).filter(({ outcome }) => outcome !== "cached")).toEqual([]);
  expect(names(brought(second))).toEqual(names(brought(first)));
  expect(names(second.filter((step) => isOfSource(step) && step.outcome === "done"))).not.toEqual([]);
}

const names = (steps: readonly BuildStep[]): string[] =>
  [...new Set(steps.map(({ name }) => name))].toSorted();

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
