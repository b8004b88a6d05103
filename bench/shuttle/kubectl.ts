import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The program that is measured against: of `BENCH_KUBECTL`, or the one on PATH. */
const program = process.env["BENCH_KUBECTL"] ?? "kubectl";

/** Which kubectl there is, like "v1.36.4"; undefined where there is none. */
export async function kubectlVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ["version", "--client", "--output=json"]);
    return (JSON.parse(stdout) as { clientVersion: { gitVersion: string } }).clientVersion.gitVersion;
  } catch {
    return undefined;
  }
}

/** How long `kubectl apply --server-side -f` takes for the manifests, in ms. */
export async function kubectlApplyMs(kubeconfig: string, manifests: readonly object[]): Promise<number> {
  return withKubeconfig(kubeconfig, async (dir, env) => {
    const file = join(dir, "all.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }));
    const args = ["apply", "--server-side", "--field-manager=shuttle", "--validate=false", "-f", file];
    const beganMs = performance.now();
    const kubectl = spawn(program, args, { env, stdio: ["ignore", "ignore", "inherit"] });
    const [code] = (await once(kubectl, "exit")) as [number | null];
    if (code !== 0) throw new Error(`kubectl ended with ${code}`);
    return performance.now() - beganMs;
  });
}

/** What a server answers to a GET of the path. */
export const kubectlRaw = (kubeconfig: string, path: string): Promise<string> =>
  withKubeconfig(kubeconfig, async (_dir, env) => {
    const options = { env, maxBuffer: 256 * 2 ** 20 };
    return (await promisify(execFile)(program, ["get", "--raw", path], options)).stdout;
  });

async function withKubeconfig<T>(
  kubeconfig: string,
  work: (dir: string, env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  try {
    writeFileSync(join(dir, "config"), kubeconfig, { mode: 0o600 });
    return await work(dir, { PATH: process.env["PATH"] ?? "", HOME: dir, KUBECONFIG: join(dir, "config") });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
