import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test(
  "the types of the database schema are those that its migrations make",
  { timeout: 120_000 },
  async () => {
    const script = fileURLToPath(new URL("../scripts/db-types.ts", import.meta.url));
    const child = spawn(process.execPath, [script, "--check"], { env: { ...process.env, FORCE_COLOR: "0" } });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    expect(code === 0 ? "" : `${said}\nregenerate them: npm run db:types`).toBe("");
  },
);
