import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePortBase } from "@starform/testkit/platform";
import { atMost, median, type Figure } from "./figure.ts";

const [firstRounds, warmRounds] = [3, 5];
const [firstTargetMs, warmTargetMs] = [60_000, 6_000];
const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * From `npm start -- --detach` to the prompt that comes back with everything ready: the first time in a clone whose
 * packages are there, with nothing built and no data, and again on the data it left. `STARFORM_BENCH_RUNTIME` takes
 * another runtime than the one the start chooses by itself.
 */
export async function run(): Promise<Figure[]> {
  const [first, warm]: [number[], number[]] = [[], []];
  for (let round = 0; round < firstRounds; round += 1) {
    await using clone = await openClone();
    first.push(await clone.startMs());
    while (warm.length < ((round + 1) * warmRounds) / firstRounds) {
      await clone.stop();
      warm.push(await clone.startMs());
    }
  }
  return [
    atMost("the first start", median(first) / 1_000, "s", median(first) / firstTargetMs, 1),
    atMost("a start on what is there", median(warm) / 1_000, "s", median(warm) / warmTargetMs, 1),
  ];
}

/** A copy of this repository as a fresh clone is after its downloads; stopped and removed at the end. */
async function openClone() {
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  const clone = join(dir, "starform");
  cpSync(root, clone, { recursive: true, filter: (path) => !notCloned.has(basename(path)) });
  copyPackages(join(root, "node_modules"), join(clone, "node_modules"));
  const runtime = process.env["STARFORM_BENCH_RUNTIME"];
  const flags = ["--port-base", String(await freePortBase()), "--no-system-packages"];
  const start = ["start", "--", "--detach", ...flags, ...(runtime ? ["--runtime", runtime] : [])];
  const stop = () => npm(clone, ["stop"]);
  return {
    async startMs() {
      const before = performance.now();
      await npm(clone, start);
      return performance.now() - before;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const notCloned = new Set(["node_modules", ".git", ".next", ".starform"]);

/** Links in place of copies where the disk allows it: nothing writes into a package. */
function copyPackages(from: string, to: string): void {
  try {
    execFileSync("cp", ["-al", from, to], { stdio: "ignore" });
  } catch {
    rmSync(to, { recursive: true, force: true });
    execFileSync("cp", ["-a", from, to]);
  }
}

/** Runs npm as a person would, without what this run of npm has put into the environment. */
async function npm(cwd: string, args: readonly string[]): Promise<void> {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((at) => !at.includes("node_modules"));
  const env = { ...Object.fromEntries(own), PATH: path.join(delimiter) };
  const child = spawn("npm", args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-8_000)));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`npm ${args.join(" ")} ended with ${code}:\n${said}`);
}
