import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Every suite of Shuttle on Kubernetes and of the client below it: on the fake cluster of the test kit, or on the real one
 * of `TEST_KUBECONFIG`, with or without controllers and nodes. Suites that script pods, faults and clocks run on the fake
 * one either way. Definitions of the Gateway API and of Envoy Gateway that a real one lacks are installed, and stay.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const dirs = ["apps/shuttle/test/kubernetes", "apps/shuttle/src/adapters/kubernetes", "packages/kubernetes"];
const suites = [...dirs, "apps/shuttle/test/kubernetes.cluster.test.ts"];
for (const dir of dirs)
  if (readdirSync(join(root, dir), { recursive: true }).length === 0)
    throw new Error(`there is no test in ${dir}`);

const vitest = join(root, "node_modules/vitest/vitest.mjs");
const child = spawn(
  process.execPath,
  [vitest, "run", "--project", "unit", ...suites, ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
  },
);
const [code] = (await once(child, "exit")) as [number | null];
process.exitCode = code ?? 1;
