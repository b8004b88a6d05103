import { builtImage, exporterFor, solveOptions, type BuildOptions, type BuiltImage } from "./built-image.ts";
import { skippedLine } from "./build-dockerfile.ts";
import type { BuildKit } from "./client.ts";
import type { ImageConfig } from "./gateway.ts";
import { define } from "./llb.ts";
import { lookAtGraph } from "./look-at-graph.ts";
import { planGraph, type PlanInput } from "./plan-graph.ts";

export type { Plan, PlanCommand, PlanLayer, PlanStep } from "./plan.ts";

export type PlanBuild = BuildOptions & PlanInput;

/**
 * Builds a plan: its steps become one graph, solved through a frontend in this process, which also writes the
 * image's config. Nothing but what BuildKit 0.8 knows is used. Rejects with BuildFailed when the plan or a step
 * is at fault.
 */
export async function buildPlan(client: BuildKit, build: PlanBuild): Promise<BuiltImage> {
  const exporter = await exporterFor(client, build);
  const result = await client.solve(
    {
      source: {
        async run(bridge) {
          const { last, config } = await planGraph(bridge, build);
          const definition = define(last, { noCache: build.noCache ?? false });
          lookAtGraph(build, definition);
          const ref = await bridge.solve(definition);
          return { ref, config: labelled(config, build.labels) };
        },
      },
      exporter,
      services: {
        sharedKey: `${build.cacheNamespace}/plan`,
        secrets: build.secrets ?? {},
        ...(build.registryAuth && { registryAuth: build.registryAuth }),
        dirs: {
          context: {
            path: build.contextDir,
            ignore: build.ignore ?? [],
            onSkipped: skippedLine(build),
            ...(build.onSent && { onSent: build.onSent }),
          },
        },
      },
    },
    solveOptions(client, build),
  );
  return builtImage(client, build, exporter, result);
}

const labelled = (config: ImageConfig, labels: PlanBuild["labels"]): ImageConfig =>
  labels ? { ...config, config: { ...config.config, Labels: { ...labels } } } : config;
