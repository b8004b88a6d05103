import type { Figure } from "./figure.ts";

/** Each measures in one run, side by side with its peer; see the file for how. */
const benches: Readonly<Record<string, () => Promise<{ run: () => Promise<readonly Figure[]> }>>> = {
  start: () => import("./start.ts"),
  "push-to-live": () => import("./push-to-live.ts"),
  redeploy: () => import("./redeploy.ts"),
  build: () => import("./build.ts"),
  api: () => import("./api.ts"),
  gateway: () => import("./gateway.ts"),
  logs: () => import("./logs.ts"),
  queue: () => import("./queue.ts"),
  memory: () => import("./memory.ts"),
  "hostile-builds": () => import("./hostile-builds.ts"),
  shuttle: () => import("./shuttle.ts"),
  "starbase-polls": () => import("./starbase-polls.ts"),
};

const args = process.argv.slice(2);
const isJson = args.includes("--json");
const names = args.filter((arg) => !arg.startsWith("--"));
const unknown = names.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(
    `there is no benchmark named ${unknown.join(", ")}: choose of ${Object.keys(benches).join(", ")}`,
  );
  process.exit(2);
}

let isMissed = false;
for (const name of names.length > 0 ? names : Object.keys(benches)) {
  if (!isJson) console.log(`\n${name}`);
  const { run } = await benches[name]!();
  for (const figure of await run()) {
    isMissed ||= !figure.ok;
    console.log(isJson ? JSON.stringify(figure) : line(figure));
  }
}
process.exitCode = isMissed ? 1 : 0;

function line({ name, value, unit, ratio, target, ok }: Figure): string {
  return `  ${ok ? "✓" : "✗"} ${name.padEnd(44)} ${value.toPrecision(4).padStart(10)} ${unit.padEnd(12)} ratio ${ratio.toFixed(2).padStart(6)}   target ${target}`;
}
