import { expect, test } from "vitest";
import { openDockerEngine } from "../src/adapters/local/docker/docker-engine.ts";
import type { InstanceSpec } from "../src/adapters/local/engine.ts";
import { frame, openFakeDocker, type Asked } from "./fake-docker.ts";

const labels = { "starform.io/managed-by": "shuttle", "starform.io/cluster-id": "c" };
const container = (id: string, state: Partial<{ Status: string; Running: boolean }>) => ({
  Id: `id-${id}`,
  Created: "2026-01-01T00:00:00Z",
  State: {
    Status: "running",
    Running: true,
    Pid: 0,
    ExitCode: 0,
    OOMKilled: false,
    Error: "",
    StartedAt: "2026-01-01T00:00:00Z",
    FinishedAt: "",
    ...state,
  },
  Config: { Labels: { ...labels, "starform.io/instance": id } },
  NetworkSettings: { Ports: {}, Networks: {} },
});
const spec = (own: Partial<InstanceSpec> = {}): InstanceSpec => ({
  id: "web-1",
  labels,
  image: "registry.test/app",
  command: null,
  env: {},
  port: null,
  limits: { cpuMillis: 1_000, memoryBytes: 2 ** 27, processesMax: 64 },
  hasReadOnlyRoot: false,
  volumes: [],
  ...own,
});
type Answer = Parameters<typeof openFakeDocker>[0];
async function anEngine(answer: Answer) {
  const stack = new AsyncDisposableStack();
  const docker = stack.use(await openFakeDocker(answer));
  const { socketPath } = docker;
  const told: string[] = [];
  const warn = (sentence: string) => void told.push(sentence);
  const engine = stack.use(await openDockerEngine({ socketPath, clusterId: "c", warn }));
  return { engine, docker, told, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
const asksOf = (asked: readonly Asked[], method: string, path: RegExp): Asked[] =>
  asked.filter((one) => one.method === method && path.test(one.path));

test("goes on with the output behind what was read when the engine breaks it off", async () => {
  let reads = 0;
  const at = (second: number) => `2026-01-01T00:00:0${second}.000000000Z`;
  await using open = await anEngine(({ path }) => {
    if (path === "/containers/web-1/json")
      return { body: container("web-1", reads < 2 ? {} : { Status: "exited", Running: false }) };
    if (!path.startsWith("/containers/web-1/logs")) return undefined;
    reads += 1;
    return (response) => {
      response.writeHead(200);
      if (reads === 1)
        return void response.write(Buffer.concat([frame(at(1), "one"), frame(at(1), "two")]), () =>
          response.destroy(),
        );
      return void response.end(
        Buffer.concat([frame(at(1), "one"), frame(at(1), "two"), frame(at(2), "three")]),
      );
    };
  });
  let text = "";
  for await (const { bytes } of open.engine.output("web-1", undefined, AbortSignal.timeout(15_000)))
    text += Buffer.from(bytes).toString();
  expect(text).toBe("one\ntwo\nthree\n");
  expect(asksOf(open.docker.asked, "GET", /logs/)[1]?.path).toContain("since=1767225601.000000000");
});

test("pulls the latest of a name without a tag, and takes no id for a name", async () => {
  const id = "abcdef123456";
  await using open = await anEngine(({ method, path }) => {
    if (path === `/images/${id}/json`) return { body: { Id: `sha256:${id}${"0".repeat(52)}` } };
    if (method === "POST" && path.startsWith("/images/create"))
      return { status: 404, body: { message: "gone" } };
    return undefined;
  });
  for (const image of ["registry.test:5000/app", "nginx:1.27", id])
    expect(await open.engine.start(spec({ image }))).toMatchObject({
      kind: "refused",
      refusal: { kind: "image_missing" },
    });
  expect(
    asksOf(open.docker.asked, "POST", /^\/images\/create/).map(({ path }) => path.split("=")[1]),
  ).toEqual(["registry.test:5000/app:latest", "nginx:1.27", `${id}:latest`]);
});

test("asks for no more processor than the machine has, and leaves nothing of a start that broke off", async () => {
  await using open = await anEngine(({ method, path }) => {
    if (path === "/images/registry.test/app/json") return { body: { Id: "sha256:1" } };
    if (method === "POST" && path === "/containers/web-1/start")
      return { status: 500, body: { message: "no" } };
    return undefined;
  });
  await expect(
    open.engine.start(spec({ limits: { cpuMillis: 4_000, memoryBytes: 2 ** 27, processesMax: 64 } })),
  ).rejects.toThrow("no");
  await open.engine.setCpu("web-1", 4_000);
  expect(asksOf(open.docker.asked, "POST", /create\?name|update/).map(({ body }) => body)).toMatchObject([
    { HostConfig: { NanoCpus: 2e9 } },
    { NanoCpus: 2e9 },
  ]);
  expect(asksOf(open.docker.asked, "DELETE", /^\/containers\/web-1\?/)).toHaveLength(1);
});

test("removes what an earlier Shuttle made and did not come to start", async () => {
  await using open = await anEngine(({ path }) => {
    if (path.startsWith("/containers/json")) return { body: [{ Id: "id-left" }, { Id: "id-runs" }] };
    if (path === "/containers/id-left/json")
      return { body: container("left", { Status: "created", Running: false }) };
    return path === "/containers/id-runs/json" ? { body: container("runs", {}) } : undefined;
  });
  expect(asksOf(open.docker.asked, "DELETE", /^\/containers/).map(({ path }) => path.split("?")[0])).toEqual([
    "/containers/left",
  ]);
});

test("makes room for a network by removing those of environments that are gone", async () => {
  let isFull = true;
  await using open = await anEngine(({ method, path }) => {
    if (path === "/images/registry.test/app/json") return { body: { Id: "sha256:1" } };
    if (path === "/networks/create" && isFull) return { status: 500, body: { message: "no address pool" } };
    if (path.startsWith("/networks?")) return { body: [{ Id: "used" }, { Id: "gone" }] };
    if (path === "/networks/used") return { body: { Containers: { x: {} } } };
    if (path === "/networks/gone" && method === "GET") return { body: { Containers: {} } };
    if (path === "/networks/gone") isFull = false;
    return path === "/containers/web-1/json" ? { body: container("web-1", {}) } : undefined;
  });
  expect(await open.engine.start(spec())).toMatchObject({ kind: "started" });
  expect(asksOf(open.docker.asked, "DELETE", /^\/networks/).map(({ path }) => path)).toEqual([
    "/networks/gone",
  ]);
});

test("tells once that it cannot keep apps from a cloud's metadata where the engine's networks are out of reach", async () => {
  await using open = await anEngine(({ path }) => {
    if (path.startsWith("/networks?")) return { body: [{ Id: "0123456789abcdef" }] };
    if (path === "/networks/0123456789abcdef") return { body: { Containers: { x: {} } } };
    if (path === "/images/registry.test/app/json") return { body: { Id: "sha256:1" } };
    return path === "/containers/web-1/json" ? { body: container("web-1", {}) } : undefined;
  });
  expect(await open.engine.start(spec())).toMatchObject({ kind: "started" });
  expect(open.told).toEqual([
    expect.stringMatching(
      /^apps can ask for the credentials .*there is no br-0123456789ab.*: on a cloud's machine start/,
    ),
  ]);
});

test("pulls with the credentials that desired state names, and tells a refusal without them", async () => {
  const error = "pull access denied for ghcr.io/acme/web";
  await using open = await anEngine(({ path }) =>
    path.startsWith("/images/create") ? { body: { error } } : undefined,
  );
  const imageCredentials = { registry: "ghcr.io", username: "ada", password: "a-secret" };
  const image = `ghcr.io/acme/web@sha256:${"a".repeat(64)}`;
  const refused = await open.engine.start(spec({ image, imageCredentials }));
  expect(refused).toMatchObject({
    kind: "refused",
    refusal: { kind: "image_missing", reason: expect.stringContaining("ghcr.io/acme/web") },
  });
  expect(JSON.stringify(refused)).not.toContain("a-secret");
  await open.engine.start(spec({ image: "nginx:1" }));
  const pulls = asksOf(open.docker.asked, "POST", /^\/images\/create/);
  expect(pulls.map(({ path, registryAuth }) => [path, registryAuth])).toEqual([
    [
      `/images/create?fromImage=${image}`,
      { username: "ada", password: "a-secret", serveraddress: "ghcr.io" },
    ],
    ["/images/create?fromImage=nginx:1", undefined],
  ]);
});
