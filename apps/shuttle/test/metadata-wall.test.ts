import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDockerEngine as startDocker, requireEngineInCi } from "@starform/testkit/docker-engine";
import { openOutside, untilAnswered, words, type Outside } from "@starform/testkit/outside";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dockerApi } from "../src/adapters/local/docker/docker-api.ts";
import { openDockerEngine } from "../src/adapters/local/docker/docker-engine.ts";
import type { Engine, Instance } from "../src/adapters/local/engine.ts";
import { instanceSpec } from "../src/adapters/local/instance-spec.ts";
import { openProcessEngine } from "../src/adapters/local/process/process-engine.ts";
import { aService } from "./desired.ts";
import { dockerImages } from "./docker-image.ts";
import { until } from "./eventually.ts";
import { processImage } from "./process-image.ts";

/** Asks whatever address its path names, and tells what it heard. */
const asker = {
  "asker.mjs": `import { createServer, get } from "node:http";
const heard = (url) => new Promise((resolve) => {
  const asked = get(url, { timeout: 3_000 }, async (answer) => resolve((await answer.toArray()).join("")));
  asked.on("timeout", () => asked.destroy(new Error("silence")));
  asked.on("error", (error) => resolve("not reached: " + (error.code ?? error.message)));
});
createServer(async ({ url }, response) => {
  const asked = decodeURIComponent(url.slice(1));
  response.end(asked === "" ? "an app" : await heard(asked));
}).listen(process.env.PORT, "0.0.0.0");
`,
};
const command = "node asker.mjs";
const urlOf = ({ address }: Instance): string => `http://${address!.host}:${address!.port}`;
const textOf = async (url: string): Promise<string> => (await fetch(url)).text();
const asked = (app: Instance, url: string): Promise<string> =>
  textOf(`${urlOf(app)}/${encodeURIComponent(url)}`);
const isKept = expect.stringMatching(/^not reached: (silence|ECONNRESET)$/);

async function started(engine: Engine, own: Parameters<typeof aService>[0]): Promise<Instance> {
  const spec = instanceSpec({ service: aService(own), clusterId: "c", slot: 0, machineCpuMillis: 2_000 });
  const result = await engine.start(spec);
  if (result.kind !== "started") throw new Error(result.refusal.reason);
  await until("the app answers", () => textOf(urlOf(result.instance)).catch(() => undefined));
  return result.instance;
}

/** This machine's own server at an address where a cloud's could be. */
async function serveAt(host: string): Promise<{ url: string } & AsyncDisposable> {
  const [length, shown] = host.includes(":") ? [128, `[${host}]`] : [32, host];
  execFileSync("ip", ["addr", "replace", `${host}/${length}`, "dev", "lo"]);
  const server = createServer((_request, response) => response.end("of this machine"));
  await new Promise<void>((resolve) => server.listen(0, "::", resolve));
  return {
    url: `http://${shown}:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      execFileSync("ip", ["addr", "del", `${host}/${length}`, "dev", "lo"]);
    },
  };
}
const randomLinkLocal = (): string => `169.254.${randomInt(1, 250)}.${randomInt(1, 250)}`;
const firewall = (program = "iptables"): string[] =>
  execFileSync(program, ["--wait", "20", "-t", "mangle", "-S"], { encoding: "utf8" }).split("\n");
const aDir = (stack: AsyncDisposableStack): string => {
  const dir = mkdtempSync(join(tmpdir(), "starform-wall-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};
async function expectKept(app: Instance, { metadataUrls }: Outside): Promise<void> {
  await untilAnswered(metadataUrls);
  const heard = metadataUrls.map((url) => asked(app, url));
  expect(await Promise.all(heard)).toEqual(heard.map(() => isKept));
}
const namesOf = ({ metadataUrls }: Outside): string[] =>
  metadataUrls.map((url) => url.replace(/8080$/, "53"));

describe.skipIf(!requireEngineInCi())("an app in a container", { timeout: 120_000 }, () => {
  const stack = new AsyncDisposableStack();
  const doors: string[] = [];
  const told: string[] = [];
  let outside: Outside;
  let socketPath: string;
  let image: string;
  let engine: Engine;
  const openEngine = () =>
    openDockerEngine({
      socketPath,
      clusterId: "c",
      warn: (sentence) => void told.push(sentence),
      async openDoor({ host, port }) {
        if (doors.includes(host)) return undefined;
        doors.push(host);
        const server = createServer((_request, response) => response.end("the door"));
        await new Promise<void>((resolve) => server.listen(port, host, resolve));
        stack.defer(() => void server.close());
        return undefined;
      },
    });

  beforeAll(async () => {
    outside = stack.use(await openOutside());
    ({ socketPath } = stack.use(await startDocker()));
    image = await dockerImages(socketPath, join(aDir(stack), "bases"))(asker, command);
    engine = stack.use(await openEngine());
    await untilAnswered(outside.metadataUrls);
  }, 300_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  async function seen({ id }: Instance): Promise<{ pid: number; bridge: string }> {
    const { body } = await dockerApi(socketPath).call("GET", `/containers/${id}/json`);
    const { State: state, NetworkSettings: settings } = body as {
      State: { Pid: number };
      NetworkSettings: { Networks: Record<string, { NetworkID: string }> };
    };
    const [network] = Object.values(settings.Networks);
    return { pid: state.Pid, bridge: `br-${network!.NetworkID.slice(0, 12)}` };
  }
  /** The rule that leads what comes by it to the wall. */
  const wayOf = (bridge: string): string[] =>
    firewall()
      .find((rule) => rule.includes(`-i ${bridge} `))!
      .split(" ");

  test("does not reach a cloud's metadata, and reaches what it did before", async () => {
    const back = await started(engine, { image, service_name: "back", project_id: "shop" });
    const front = await started(engine, { image, service_name: "front", project_id: "shop" });
    await expectKept(front, outside);
    await using own = await serveAt(randomLinkLocal());
    expect(await textOf(own.url)).toBe("of this machine");
    expect(await asked(front, own.url)).toEqual(isKept);
    expect(await asked(front, outside.url)).toBe(words);
    expect(await asked(front, urlOf(back))).toBe("an app");
    expect(await asked(front, "http://back:8080")).toBe("the door");
    for (const url of namesOf(outside)) expect(await asked(front, url)).toBe(words);
    expect(told).toEqual([]);
  });

  test("does not reach it in a network that is made later, nor by IPv6", async () => {
    const app = await started(engine, { image, environment: "staging" });
    await expectKept(app, outside);
    const { pid, bridge } = await seen(app);
    await using metadata = await serveAt("fd20:ce::254");
    await using plain = await serveAt("fd20:ce::253");
    const within = [
      "echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6",
      "ip addr add fd12:3456::2/64 dev eth0 nodad",
      "ip route add default via fd12:3456::1",
    ];
    writeFileSync(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, "0");
    execFileSync("ip", ["addr", "add", "fd12:3456::1/64", "dev", bridge, "nodad"]);
    execFileSync("nsenter", [`--net=/proc/${pid}/ns/net`, "/bin/sh", "-ec", within.join("\n")]);
    expect(await asked(app, plain.url)).toBe("of this machine");
    expect(await asked(app, metadata.url)).toEqual(isKept);
  });

  test("does not reach it after the start of another Shuttle, whatever became of the wall before", async () => {
    const app = await started(engine, { image, environment: "preview" });
    const { bridge } = await seen(app);
    execFileSync("iptables", ["--wait", "20", "-t", "mangle", "-D", ...wayOf(bridge).slice(1)]);
    for (const url of outside.metadataUrls) expect(await asked(app, url)).toBe(words);
    await using _after = await openEngine();
    await expectKept(app, outside);
  });

  test("leaves nothing of the wall when the last one is gone", async () => {
    const app = await started(engine, { image });
    const { bridge } = await seen(app);
    const chain = wayOf(bridge).at(-1)!;
    for (const { id } of await engine.list()) await engine.remove(id);
    await engine[Symbol.asyncDispose]();
    for (const program of ["iptables", "ip6tables"])
      expect(firewall(program).join("\n")).not.toContain(chain);
  });
});

describe("an app as a process", { timeout: 120_000 }, () => {
  test("does not reach a cloud's metadata, and reaches what it did before", async ({ skip }) => {
    await using stack = new AsyncDisposableStack();
    const dir = aDir(stack);
    const told: string[] = [];
    const engine = await openProcessEngine({
      dir,
      imagesDir: join(dir, "images"),
      searchPath: process.env["PATH"] ?? "",
      warn: (sentence) => void told.push(sentence),
    });
    stack.use(engine);
    if (!engine.capabilities.includes("separate-users")) {
      if (process.env["CI"])
        throw new Error("CI must run apps as users of their own: run it as root, with setpriv of util-linux");
      return skip();
    }
    const outside = stack.use(await openOutside());
    const image = processImage(join(dir, "images"), asker, { cmd: command });
    const app = await started(engine, { image });
    stack.defer(() => engine.remove(app.id));
    await using own = await serveAt(randomLinkLocal());
    await using v6 = await serveAt("fd20:ce::254");
    for (const { url } of [own, v6]) {
      expect(await textOf(url)).toBe("of this machine");
      expect(await asked(app, url)).toEqual(isKept);
    }
    await expectKept(app, outside);
    for (const url of [outside.url, ...namesOf(outside)]) expect(await asked(app, url)).toBe(words);
    expect(told.filter((sentence) => sentence.includes("169.254"))).toEqual([]);
  });

  test("is told of once where it cannot be kept from there", async () => {
    await using stack = new AsyncDisposableStack();
    const dir = aDir(stack);
    const told: string[] = [];
    const engine = await openProcessEngine({
      dir,
      imagesDir: join(dir, "images"),
      searchPath: process.env["PATH"] ?? "",
      confinement: "none",
      warn: (sentence) => void told.push(sentence),
    });
    stack.use(engine);
    const app = await started(engine, { image: processImage(join(dir, "images"), asker, { cmd: command }) });
    stack.defer(() => engine.remove(app.id));
    expect(told.filter((sentence) => sentence.includes("169.254"))).toEqual([
      expect.stringMatching(
        /^apps can ask for the credentials .*, because they do not run as users of their own.*: .* or let the cloud give the machine none$/,
      ),
    ]);
  });
});
