import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSocketServer, type AddressInfo, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { until } from "@starform/std/retry";
import { openOutside, untilAnswered, words, type Outside } from "@starform/testkit/outside";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addRules, removeRules } from "../src/adapters/process-builder/network-rules.ts";
import { findProgram } from "../src/adapters/process-builder/program.ts";
import { processBuildService } from "../src/adapters/process-builder/process-build-service.ts";
import { aBuild, built } from "./a-build.ts";
import { openProcessBuilder, type ProcessBuilderUnderTest } from "./process-builder.ts";

const canKeepApart =
  process.getuid?.() === 0 && ["ip", "iptables-restore", "nsenter"].every((name) => findProgram(name));
if (process.env["CI"] && process.platform === "linux" && !canKeepApart)
  throw new Error("CI must keep builds apart for real: install iproute2 and iptables, and run as root");

/** Asks every address from within, and answers what each said; the answer of one that cannot be reached is its error. */
const ask = (urls: readonly string[]) =>
  `node -e 'Promise.all(${JSON.stringify(urls)}.map((url) => fetch(url, { signal: AbortSignal.timeout(10000) }).then((r) => r.text(), (e) => "not reached: " + (e.cause?.code ?? e)).then((said) => console.log(url, said))))'`;
const traces = (word: string) =>
  [
    ...readdirSync("/sys/class/net"),
    ...(
      execFileSync("ip", ["netns", "list"], { encoding: "utf8" }) +
      execFileSync("iptables", ["--wait", "20", "-S"], { encoding: "utf8" }) +
      execFileSync("iptables", ["--wait", "20", "-t", "nat", "-S"], { encoding: "utf8" })
    ).split("\n"),
  ].filter((line) => line.includes(word));

describe.skipIf(!canKeepApart)("the network of a build", () => {
  let stack: AsyncDisposableStack;
  let under: ProcessBuilderUnderTest;
  let outside: Outside;
  /** A server of this machine, as the platform's own are. */
  let own: Server;
  let port: number;
  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    outside = stack.use(await openOutside());
    under = stack.use(await openProcessBuilder({}, true, {}, [outside.storeHost]));
    own = createServer((_request, response) => response.end("of this machine"));
    await new Promise<void>((resolve) => own.listen(0, "0.0.0.0", resolve));
    stack.defer(() => void own.close());
    ({ port } = own.address() as AddressInfo);
  });
  afterAll(() => stack?.disposeAsync());

  test("leads out, and neither to this machine by any of its addresses nor to a cloud's metadata or a store", async () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((one) => one ?? [])
      .filter(({ family }) => family === "IPv4")
      .map(({ address }) => address);
    const ownUrls = [...new Set(["localhost", ...addresses])].map((address) => `http://${address}:${port}`);
    const { refusedUrls } = outside;
    await untilAnswered(refusedUrls);
    const { text, status } = await built(
      under.builds,
      await aBuild(under, [ask([outside.url, ...refusedUrls, "http://169.254.169.254", ...ownUrls])]),
    );
    expect(status.state).toBe("succeeded");
    expect(text).toContain(`${outside.url} ${words}`);
    for (const url of [...refusedUrls, "http://169.254.169.254", ...ownUrls])
      expect(text).toContain(`${url} not reached: `);
    expect(text).not.toContain("of this machine");
    expect(text).not.toContain("NOT KEPT APART");
  });

  test("has no way back to this machine by its gateway, nor by a socket without a file", async () => {
    const name = `starform-${process.pid}`;
    const server = createSocketServer((socket) => socket.end("of this machine"));
    await new Promise<void>((resolve) => server.listen(`\0${name}`, resolve));
    const gateway = `const hex = require("fs").readFileSync("/proc/net/route", "utf8").split("\\n").map((l) => l.split("\\t")).find((l) => l[1] === "00000000")[2]; const address = hex.match(/../g).reverse().map((b) => parseInt(b, 16)).join(".");`;
    const attempt = `${gateway} fetch("http://" + address + ":${port}").then((r) => r.text(), () => "the gateway is closed").then(console.log); require("net").connect("\\0${name}").on("data", (d) => console.log(String(d))).on("error", () => console.log("the socket is not there"))`;
    const { text } = await built(under.builds, await aBuild(under, [`node -e '${attempt}'`]));
    server.close();
    expect(text).toContain("the gateway is closed");
    expect(text).toContain("the socket is not there");
    expect(text).not.toContain("of this machine");
  });

  test("is another one for each build: what one serves no other sees", async () => {
    const serving = await aBuild(under, [
      `node -e 'require("http").createServer((_, r) => r.end("of a neighbour")).listen(8099, () => console.log("serving")); setTimeout(() => process.exit(), 600000)'`,
    ]);
    await under.builds.submitBuild(serving);
    for await (const { text } of under.builds.streamLogs(serving, AbortSignal.timeout(60_000)))
      if (text === "serving") break;
    const { text } = await built(under.builds, await aBuild(under, [ask(["http://127.0.0.1:8099"])]));
    await under.builds.cancelBuild(serving);
    expect(text).toContain("not reached: ");
    expect(text).not.toContain("of a neighbour");
  });

  test("leaves nothing behind, of a build that was killed neither", async () => {
    const [workDir, imagesDir, cacheDir] = ["work", "images", "cache"].map((name) =>
      path.join(under.dir, name),
    ) as [string, string, string];
    const notes = () => readdirSync(workDir).filter((name) => name.endsWith(".net"));
    await until("what was built before is tidied away", () => notes().length === 0);
    const spec = await aBuild(under, ["echo started; sleep 604"]);
    await under.killedAt(spec, "started");
    const { device } = JSON.parse(readFileSync(path.join(workDir, notes()[0]!), "utf8")) as {
      device: string;
    };
    const left = () => [...traces(spec.buildId), ...traces(device)];
    expect(left().length).toBeGreaterThan(5);
    await using _next = processBuildService({
      workDir,
      imagesDir,
      cacheDir,
      nodePath: process.execPath,
      searchPath: process.env["PATH"] ?? "",
      log: (text) => console.error(text),
    });
    await until("its traces are gone", () => left().length === 0 && notes().length === 0, {
      withinMs: 60_000,
    });
  });
});

test.skipIf(!canKeepApart)(
  "lets names through to a name server where a cloud has its metadata too",
  async () => {
    const link = { device: "sfb999999", chain: "SFBUILD999999", subnet: "198.18.0.0/30" };
    const nameservers = ["168.63.129.16"];
    await addRules(link, { deniedAddresses: [], nameservers, waysOut: [] });
    const rules = execFileSync("iptables", ["--wait", "20", "-S", link.chain], { encoding: "utf8" }).split(
      "\n",
    );
    await removeRules(link);
    const ofServer = rules.filter((rule) => rule.includes("-d 168.63.129.16/32"));
    expect(ofServer.map((rule) => /--dport 53 -j ACCEPT$|-j REJECT/.exec(rule)?.[0])).toEqual([
      "--dport 53 -j ACCEPT",
      "--dport 53 -j ACCEPT",
      "-j REJECT",
    ]);
  },
);

test("a build says so where its network is shared with the platform's", async () => {
  await using under = await openProcessBuilder({}, true, { HTTPS_PROXY: "http://127.0.0.1:3128" });
  const { text } = await built(under.builds, await aBuild(under, ["true"]));
  expect(text).toMatch(
    /NETWORK NOT KEPT APART: (HTTPS_PROXY names a server on this machine's loopback|the platform does not run as root)/,
  );
});
