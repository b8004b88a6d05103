import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endChild } from "./end-child.ts";

const script = join(import.meta.dirname, "../../scripts/stand-in-nodes.ts");

/** Nodes for an API server that has none, in a process of their own, so that their work is not Shuttle's; their pods are ready at once. */
export async function standInNodes(kubeconfig: string, count: number): Promise<AsyncDisposable> {
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  writeFileSync(join(dir, "config"), kubeconfig, { mode: 0o600 });
  const child = spawn(process.execPath, [script, String(count)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, KUBECONFIG: join(dir, "config") },
  });
  // While the benchmark runs it says that the server refuses events of namespaces that go; before, why it cannot begin.
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-2_000)));
  const stop = async (): Promise<void> => {
    await endChild(child);
    rmSync(dir, { recursive: true, force: true });
  };
  // It says so once they stand in.
  const begun = await Promise.race([
    once(child.stdout, "data").then(() => true),
    once(child, "close").then(() => false),
  ]);
  if (!begun) {
    await stop();
    throw new Error(`no node could stand in: ${words.trim()}`);
  }
  return { [Symbol.asyncDispose]: stop };
}
