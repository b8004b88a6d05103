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
    // What it says there is that the server refused events of namespaces that go.
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, KUBECONFIG: join(dir, "config") },
  });
  const stop = async (): Promise<void> => {
    await endChild(child);
    rmSync(dir, { recursive: true, force: true });
  };
  // It says so once they stand in.
  const [first] = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  if (child.exitCode !== null) {
    await stop();
    throw new Error(`no node could stand in: the program ended with ${String(first)}`);
  }
  return { [Symbol.asyncDispose]: stop };
}
