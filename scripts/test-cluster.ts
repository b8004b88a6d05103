import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Every suite of Shuttle on Kubernetes and of the client below it: on the fake cluster of the test kit, or on the real one
 * of `TEST_KUBECONFIG`, with or without controllers and nodes. Suites that script faults and clocks run on the fake one
 * either way; those that script pods give a real one nodes that stand in, so they take turns, and its controllers must
 * run. Definitions of the Gateway API and of Envoy Gateway that a real one lacks are installed, and stay.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const scriptPods = [
  "apps/shuttle/test/kubernetes.cluster.test.ts",
  "apps/shuttle/test/kubernetes/rollout.cluster.test.ts",
  "apps/shuttle/test/kubernetes/no-request-lost.cluster.test.ts",
];
const dirs = ["apps/shuttle/test/kubernetes", "apps/shuttle/src/adapters/kubernetes", "packages/kubernetes"];
const others = dirs.flatMap((dir) => {
  const files = readdirSync(join(root, dir), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && !file.includes("node_modules"))
    .map((file) => join(dir, file));
  if (files.length === 0) throw new Error(`there is no test in ${dir}`);
  return files.filter((file) => !scriptPods.includes(file));
});

const vitest = join(root, "node_modules/vitest/vitest.mjs");
async function run(...args: readonly string[]): Promise<boolean> {
  const own = process.argv.slice(2);
  const command = [vitest, "run", "--project", "unit", ...args, ...own];
  const child = spawn(process.execPath, command, { cwd: root, stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0;
}

const isWell = process.env["TEST_KUBECONFIG"]
  ? [await run(...others), await run("--no-file-parallelism", ...scriptPods)].every(Boolean)
  : await run(...others, ...scriptPods);
process.exitCode = isWell ? 0 : 1;
