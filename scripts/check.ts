import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sayDuration } from "@starform/std/duration";

/** The gate before a commit: each check says how many files it saw, and one that looked at too few fails. */
type Check = { name: string; program: string; args: string[]; count(said: string): number; atLeast: number };

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string) => join(root, "node_modules/.bin", name);
const firstNumber = (pattern: RegExp) => (said: string) => Number(pattern.exec(said)?.[1] ?? 0);
const ownFiles = (said: string) =>
  said.split("\n").filter((line) => line.startsWith(root) && !line.includes("/node_modules/")).length;

const checks: Check[] = [
  { name: "types", program: bin("tsc"), args: ["-p", ".", "--listFiles"], count: ownFiles, atLeast: 50 },
  ...(existsSync(join(root, "apps/stardeck/tsconfig.json"))
    ? [
        {
          name: "types of Stardeck",
          program: bin("tsc"),
          args: ["-p", "apps/stardeck", "--noEmit", "--listFiles"],
          count: ownFiles,
          atLeast: 5,
        },
      ]
    : []),
  {
    name: "lint",
    program: bin("oxlint"),
    args: ["--deny-warnings"],
    count: firstNumber(/on (\d+) files/),
    atLeast: 50,
  },
  {
    name: "format",
    program: bin("oxfmt"),
    args: ["--check"],
    count: firstNumber(/on (\d+) files/),
    atLeast: 50,
  },
  {
    name: "boundaries",
    program: bin("vitest"),
    args: ["run", "--project", "unit", "test/boundaries.test.ts"],
    count: firstNumber(/Tests\D+(\d+) passed/),
    atLeast: 1,
  },
];

async function run({ name, program, args, count, atLeast }: Check): Promise<boolean> {
  const startedAt = performance.now();
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  const { code, said } = await new Promise<{ code: number; said: string }>((resolve) =>
    execFile(program, args, { cwd: root, env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) || 1 : 0, said: stdout + stderr }),
    ),
  );
  const seen = count(said);
  const isGood = code === 0 && seen >= atLeast;
  console.log(
    `${isGood ? "✓" : "✗"} ${name.padEnd(18)} ${String(seen).padStart(5)} seen  ${sayDuration(performance.now() - startedAt)}`,
  );
  if (code !== 0)
    console.log(
      said
        .split("\n")
        .filter((line) => !(line.startsWith("/") && !line.includes(": ")))
        .join("\n")
        .trim(),
    );
  else if (!isGood)
    console.log(`  it looked at ${seen}, which cannot be all (at least ${atLeast}): the gate is broken`);
  return isGood;
}

const results: boolean[] = [];
for (const check of checks) results.push(await run(check));
process.exitCode = results.every(Boolean) ? 0 : 1;
