import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDockerEngine as startDocker, requireEngineInCi } from "@starform/testkit/docker-engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { podEnding } from "../src/adapters/kubernetes/manifests/drain.ts";
import { dockerApi, type DockerApi } from "../src/adapters/local/docker/docker-api.ts";
import type { Inspected } from "../src/adapters/local/docker/container-state.ts";
import { imageOf } from "../src/adapters/local/docker/container-spec.ts";
import { openDockerEngine } from "../src/adapters/local/docker/docker-engine.ts";
import type { Engine } from "../src/adapters/local/engine.ts";
import { aService } from "./desired.ts";
import { dockerImages } from "./docker-image.ts";
import { until } from "./eventually.ts";

const scripts = {
  start: "node app.mjs",
  chain: "true && node app.mjs; echo the script goes on",
  nested: "npm run chain",
  deaf: "node app.mjs deaf",
  crash: "node -e 'process.exit(7)'",
};
const app = `console.log("up");
setInterval(() => undefined, 1_000);
process.on("SIGTERM", () => {
  console.log("asked");
  if (process.argv[2] !== "deaf") setTimeout(() => { console.log("finished"); process.exit(0); }, 700);
});`;
const job = `console.log("job");
process.on("SIGTERM", () => setTimeout(() => { console.log("job done"); process.exit(0); }, 700));
setTimeout(() => undefined, 60_000);`;

describe.skipIf(!requireEngineInCi())("an app in a container", { timeout: 120_000 }, () => {
  const stack = new AsyncDisposableStack();
  let engine: Engine;
  let api: DockerApi;
  let image: string;
  let made = 0;

  beforeAll(async () => {
    const dir = mkdtempSync(join(tmpdir(), "starform-sigterm-"));
    stack.defer(() => rmSync(dir, { recursive: true, force: true }));
    const { socketPath } = stack.use(await startDocker());
    api = dockerApi(socketPath);
    const files = {
      "package.json": JSON.stringify({ scripts }),
      "app.mjs": app,
      "start.sh": "#!/bin/sh\nnpm start\nexit $?\n",
      "job.mjs": job,
    };
    image = await dockerImages(socketPath, join(dir, "bases"))(files, null);
    engine = stack.use(await openDockerEngine({ socketPath, clusterId: "c", warn: () => undefined }));
  }, 300_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  const stateOf = async (id: string) =>
    ((await api.call("GET", `/containers/${id}/json`)).body as Inspected).State;

  async function running(command: string, hasReadOnlyRoot = true) {
    const id = `app-${(made += 1)}`;
    const started = await engine.start({
      id,
      labels: { "starform.io/managed-by": "shuttle", "starform.io/cluster-id": "c" },
      image,
      command,
      env: {},
      port: null,
      limits: { cpuMillis: 1_000, memoryBytes: 2 ** 28, processesMax: 64 },
      hasReadOnlyRoot,
      volumes: [],
    });
    expect(started.kind).toBe("started");
    let text = "";
    const reading = (async () => {
      for await (const { bytes } of engine.output(id, undefined, AbortSignal.timeout(90_000)))
        text += Buffer.from(bytes).toString();
      return text;
    })();
    return {
      id,
      allItSaid: reading,
      saysUp: () => until("it is up", () => text.includes("up\n"), { withinMs: 60_000 }),
      state: () => stateOf(id),
    };
  }

  test.each(["npm start", "npm run chain", "npm run nested", "cd . && npm start; exit $?"])(
    "finishes its work behind `%s`",
    async (command) => {
      const app = await running(command);
      await app.saysUp();
      expect(await engine.stop(app.id, 30_000)).toBe("ended");
      expect(await app.allItSaid).toMatch(/asked\nfinished\n/);
      expect(await app.state()).toMatchObject({ Running: false, ExitCode: 0 });
    },
  );

  test("finishes its work behind a script that the kernel calls by its file", async () => {
    const app = await running("cp start.sh /tmp && chmod +x /tmp/start.sh && /tmp/start.sh", false);
    await app.saysUp();
    expect(await engine.stop(app.id, 30_000)).toBe("ended");
    expect(await app.allItSaid).toMatch(/asked\nfinished\n/);
  });

  test("lets a script go on after its app has ended", async () => {
    const app = await running("npm run nested");
    await app.saysUp();
    await engine.stop(app.id, 30_000);
    expect(await app.allItSaid).toMatch(/finished\nthe script goes on\n$/);
  });

  test("is killed behind npm when it does not hear, and only when its time is over", async () => {
    const app = await running("npm run deaf");
    await app.saysUp();
    const askedAtMs = performance.now();
    expect(await engine.stop(app.id, 2_000)).toBe("killed");
    expect(performance.now() - askedAtMs).toBeGreaterThan(1_990);
    expect(await app.allItSaid).toMatch(/asked\n$/);
    expect(await app.state()).toMatchObject({ Running: false, ExitCode: 137 });
  });

  test("ends with its own exit code behind npm", async () => {
    const app = await running("npm run crash");
    await until("it has ended", async () => !(await app.state()).Running, { withinMs: 60_000 });
    expect(await app.state()).toMatchObject({ Running: false, ExitCode: 7 });
  });

  test("is ended where it is a loop of a shell, which never ends by itself", async () => {
    const app = await running("echo up; while :; do sleep 1; done");
    await app.saysUp();
    expect(await engine.stop(app.id, 60_000)).toBe("ended");
    expect(await app.state()).toMatchObject({ Running: false, ExitCode: 143 });
  });

  test("begins nothing new in a loop of a shell that sleeps", async () => {
    const app = await running("echo up; while :; do sleep 60; echo more; done");
    await app.saysUp();
    expect(await engine.stop(app.id, 60_000)).toBe("ended");
    expect(await app.allItSaid).toBe("up\n");
  });

  test("finishes also what a shell began when the first had ended", async () => {
    const app = await running("node app.mjs; node job.mjs; node job.mjs");
    await app.saysUp();
    expect(await engine.stop(app.id, 60_000)).toBe("ended");
    expect(await app.allItSaid).toBe("up\nasked\nfinished\njob\njob done\n");
  });

  test("hears SIGTERM once where nobody stands before it", async () => {
    const app = await running("exec node app.mjs");
    await app.saysUp();
    expect(await engine.stop(app.id, 30_000)).toBe("ended");
    expect(await app.allItSaid).toBe("up\nasked\nfinished\n");
  });

  /** As a kubelet and containerd do it: a hardened container in the processes of a pod, its hook, then SIGTERM. */
  test("finishes its work behind npm in a pod that may nothing", async () => {
    const service = aService({ image, command: "npm run nested", service_type: "worker", ports: [] });
    const { preStop } = podEnding(service).lifecycle as { preStop: { exec: { command: string[] } } };
    const made = async (body: Record<string, unknown>) => {
      const answer = await api.call("POST", "/containers/create", { Image: imageOf(image), ...body });
      const { Id } = answer.body as { Id: string };
      await api.call("POST", `/containers/${Id}/start`);
      return Id;
    };
    const sandbox = await made({
      Cmd: ["/bin/sh", "-c", "cp /bin/sleep /tmp/pause; exec /tmp/pause infinity"],
    });
    const { Pid } = await stateOf(sandbox);
    await until("the pod is there", () => readFileSync(`/proc/${Pid}/comm`, "utf8") === "pause\n");
    const id = await made({
      Cmd: ["/bin/sh", "-c", service.command],
      User: "10001:10001",
      HostConfig: {
        PidMode: `container:${sandbox}`,
        ReadonlyRootfs: true,
        Tmpfs: { "/tmp": "" },
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
      },
    });
    const said = async () => {
      let text = "";
      for await (const part of await api.stream(
        `/containers/${id}/logs?stdout=true`,
        AbortSignal.timeout(9_000),
      ))
        text += String(part);
      return text;
    };
    await until("it is up", async () => (await said()).includes("up\n"), { withinMs: 60_000 });
    const hook = await api.call("POST", `/containers/${id}/exec`, {
      Cmd: preStop.exec.command,
    });
    await api.call("POST", `/exec/${(hook.body as { Id: string }).Id}/start`, { Detach: true });
    await api.call("POST", `/containers/${id}/wait`);
    expect(await said()).toMatch(/finished\n[^]*the script goes on\n$/);
    expect(await stateOf(id)).toMatchObject({ Running: false, ExitCode: 0 });
  });
});
