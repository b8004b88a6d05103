import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import { aDeployment, aNamespace, image } from "./sample-objects.ts";

/** The minor version of the kubectl on the path; undefined without one. CI has none: Debian's stable has no kubectl. */
function kubectlMinor(): number | undefined {
  try {
    const text = execFileSync("kubectl", ["version", "--client", "-o", "json"], {
      stdio: ["ignore", "pipe", "ignore"],
    }).toString();
    return Number.parseInt(
      (JSON.parse(text) as { clientVersion: { minor: string } }).clientVersion.minor,
      10,
    );
  } catch {
    return undefined;
  }
}

const run = promisify(execFile);
let fake: FakeKubernetes;
let folder: string;

describe.runIf((kubectlMinor() ?? 0) >= 31)("kubectl", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "starform-kubectl-"));
    fake = await openFakeKubernetes({ isSecure: true });
    writeFileSync(join(folder, "kubeconfig"), fake.kubeconfig());
  });
  afterAll(async () => {
    await fake[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** What kubectl says; its discovery cache stays in the folder. */
  async function kubectl(...args: readonly string[]): Promise<string> {
    const flags = ["--kubeconfig", join(folder, "kubeconfig"), "--cache-dir", join(folder, "cache")];
    const { stdout } = await run("kubectl", [...flags, ...args], { timeout: 50_000 });
    return stdout.trim();
  }
  const file = (object: unknown): string => {
    const path = join(folder, "object.json");
    writeFileSync(path, JSON.stringify(object));
    return path;
  };
  const images = () =>
    kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}");

  test("applies, rolls, shows the difference, and goes back", async () => {
    expect(await kubectl("apply", "-f", file(aDeployment("web")))).toBe("deployment.apps/web created");
    await kubectl("rollout", "status", "deploy/web", "--timeout=30s");
    const second = file(aDeployment("web", { container: { image: image("2") } }));
    const difference = await kubectl("diff", "-f", second).catch(
      (error: { code: number; stdout: string }) => error,
    );
    expect(difference).toMatchObject({ code: 1, stdout: expect.stringContaining(image("2")) as unknown });
    expect(await kubectl("apply", "-f", second)).toBe("deployment.apps/web configured");
    await kubectl("rollout", "status", "deploy/web", "--timeout=30s");
    await kubectl("rollout", "undo", "deploy/web");
    expect(await images()).toBe(image("1"));
  });

  test("applies on the server, and is told of a conflict", async () => {
    const object = file({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "default" },
      data: { a: "1" },
    });
    expect(await kubectl("apply", "--server-side", "--field-manager=one", "-f", object)).toBe(
      "configmap/c serverside-applied",
    );
    const other = file({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "default" },
      data: { a: "2" },
    });
    await expect(kubectl("apply", "--server-side", "--field-manager=two", "-f", other)).rejects.toThrow(
      'conflict with "one": .data.a',
    );
  });

  test("scales, waits, reads logs, and deletes", async () => {
    const names = async () => (await kubectl("get", "pods", "-l", "app=web", "-o", "name")).split("\n");
    const before = new Set(await names());
    fake.pods.script({ labels: { app: "web" } }, { log: ["hello"] });
    await kubectl("scale", "deploy/web", "--replicas=5");
    await kubectl("wait", "--for=jsonpath={.status.readyReplicas}=5", "deploy/web", "--timeout=30s");
    const [added] = (await names()).filter((name) => !before.has(name));
    expect(await kubectl("logs", added!)).toBe("hello");
    await kubectl("delete", "deploy", "web", "--wait", "--timeout=30s");
    await kubectl("apply", "-f", file(aNamespace("demo")));
    await kubectl("delete", "namespace", "demo", "--timeout=30s");
    expect(await kubectl("get", "namespaces", "-o", "name")).not.toContain("demo");
  });
});
