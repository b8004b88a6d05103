import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skippedLine, statusLine } from "./build-dockerfile.ts";
import { builtImage, exporterFor, solveOptions, type BuildOptions, type BuiltImage } from "./built-image.ts";
import type { BuildKit } from "./client.ts";
import { lookAtGraph } from "./look-at-graph.ts";

export type FrontendBuild = BuildOptions & {
  readonly contextDir: string;
  /** An image that speaks BuildKit's gateway protocol and reads a plan: Railpack's. The builder fetches and runs it. */
  readonly frontend: string;
  /** The text of the plan, in Railpack's format. */
  readonly plan: string;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Keeps the caches of one owner from every other. */
  readonly cacheNamespace: string;
  readonly ignore?: readonly string[];
};

const planFile = "railpack-plan.json";

/**
 * Has a frontend image build a plan. Railpack's gives secrets to steps as variables, which BuildKit before 0.11 ignores
 * without a word; the log says so there. Rejects with BuildFailed when the plan or a step is at fault, or the frontend cannot be had.
 */
export async function buildWithFrontend(client: BuildKit, build: FrontendBuild): Promise<BuiltImage> {
  const dir = await mkdtemp(join(tmpdir(), "starform-plan-"));
  try {
    await writeFile(join(dir, planFile), build.plan);
    await sayWhatIsIgnored(client, build);
    const exporter = await exporterFor(client, build);
    const result = await client.solve(
      {
        source: {
          async run(bridge) {
            const graph = await bridge.graphBy("gateway.v0", attrsOf(build));
            for (const definition of graph.definitions) lookAtGraph(build, definition);
            return graph;
          },
        },
        exporter,
        services: {
          sharedKey: `${build.cacheNamespace}/frontend`,
          secrets: build.secrets ?? {},
          ...(build.registryAuth && { registryAuth: build.registryAuth }),
          dirs: {
            context: {
              path: build.contextDir,
              ignore: build.ignore ?? [],
              onSkipped: skippedLine(build),
              ...(build.onSent && { onSent: build.onSent }),
            },
            dockerfile: { path: dir },
          },
        },
      },
      solveOptions(client, build),
    );
    return await builtImage(client, build, exporter, result);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function sayWhatIsIgnored(client: BuildKit, build: FrontendBuild): Promise<void> {
  if (Object.keys(build.secrets ?? {}).length === 0) return;
  const { llb } = await client.capabilities();
  if (llb.has("exec.secretenv")) return;
  const words = "this builder is too old to give steps secret variables (BuildKit 0.11 does, Docker 23)";
  statusLine(build, `${words}: a step that reads a variable of the service may find it empty`);
}

function attrsOf({ frontend, cacheNamespace, secrets = {}, noCache, labels = {} }: FrontendBuild) {
  // Says nothing to anyone who does not know the values, and changes with them.
  const hash = createHash("sha256").update(cacheNamespace);
  for (const name of Object.keys(secrets).toSorted()) hash.update(`\0${name}\0${secrets[name]}`);
  return {
    source: frontend,
    filename: planFile,
    "build-arg:cache-key": cacheNamespace,
    "build-arg:secrets-hash": hash.digest("hex"),
    ...(noCache && { "no-cache": "" }),
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label:${name}`, value])),
  };
}
