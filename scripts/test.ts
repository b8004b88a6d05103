import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { installDebianPackages, type DebianPackage } from "../apps/embedded/src/debian-packages.ts";

/** What the tests use of the machine; each is looked for by a program it brings. */
const wanted: readonly DebianPackage[] = [
  { name: "git", program: "git", why: "pushes and clones" },
  { name: "bubblewrap", program: "bwrap", why: "sandboxes of the process runtime" },
  { name: "iproute2", program: "ip", why: "networks of the Docker runtime" },
  { name: "iptables", program: "iptables", why: "networks of the Docker runtime" },
  { name: "docker.io", program: "dockerd", why: "the Docker runtime and BuildKit" },
  { name: "mmdebstrap", program: "mmdebstrap", why: "the base images of builds" },
  { name: "openssh-client", program: "ssh-agent", why: "SSH agents of builds" },
  { name: "docker-registry", program: "docker-registry", why: "the registry" },
  { name: "python3", program: "python3", why: "the Python example" },
  { name: "chromium", program: "chromium", why: "the dashboard in a browser" },
  { name: "victoria-metrics", program: "victoria-metrics", why: "the metrics store" },
  { name: "lua5.1", program: "lua5.1", why: "the script that Fluent Bit runs" },
];

const root = fileURLToPath(new URL("..", import.meta.url));
await installDebianPackages(wanted, { purpose: "the tests", say: (line) => console.error(line) });

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const child = spawn(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 1);
