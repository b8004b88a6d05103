import { join } from "node:path";
import { imageAllowances, type ImageAllowance } from "@starform/contract/image-allowances";
import type { Plan } from "@starform/contract/plans";
import type { Logger } from "pino";
import { folderImageStore } from "../adapters/process-builder/folder-image-store.ts";
import { withEngineCopies } from "../adapters/registry/engine-copies.ts";
import { engineImageStore } from "../adapters/registry/engine-image-store.ts";
import type { Config } from "../config.ts";
import { collectImages, type CollectionEvent } from "../core/images/collect-images.ts";
import { removeImages } from "../core/images/remove-images.ts";
import type { CronJob } from "../ports/job-queue.ts";
import type { ImageStore, RegistryProvider } from "../ports/registry-provider.ts";
import type { Core } from "./core.ts";

/** What removes images: of deleted services, and of those that nothing can be rolled back to. */
export function openImages(config: Config, core: Core, logger: Logger) {
  const { dockerSocket } = config;
  const registry =
    core.registry && dockerSocket ? withEngineCopies(core.registry, dockerSocket) : core.registry;
  const stores = [ownStoreOf(config), registry].filter((store) => store !== undefined);
  const allowanceOf = (plan: Plan): ImageAllowance => ({ ...imageAllowances[plan], ...config.images });
  const collect = collectImages({
    ...core,
    stores,
    retention: core.stores.retention,
    allowanceOf,
    tell: (event) => tell(logger, event),
  });
  const cron: CronJob = {
    name: "images.collect",
    schedule: "23 * * * *",
    run: async (signal) => {
      const { removed } = await collect(signal);
      if (registry && removed > 0) await collectGarbage(registry, logger);
    },
  };
  return { cron, removeImages: removeImages(stores) };
}

/** Where this runtime runs images from; a Kubernetes cluster pulls from the registry. */
function ownStoreOf({ runtime, dockerSocket, dataDir }: Config): ImageStore | undefined {
  if (runtime === "process") return folderImageStore(join(dataDir, "images"));
  return runtime === "docker" && dockerSocket ? engineImageStore(dockerSocket) : undefined;
}

async function collectGarbage(registry: RegistryProvider, logger: Logger): Promise<void> {
  const { id } = await registry.collectGarbage();
  logger.info({ registry: registry.host, collection: id }, "the registry frees what its images held");
}

function tell(logger: Logger, event: CollectionEvent): void {
  const { kind, ...facts } = event;
  if (kind === "removed") logger.info(facts, "removed an image that nothing can be rolled back to");
  else if (kind === "left") logger.warn(facts, "could not remove an image; it is tried again");
  else if (kind === "unreachable") logger.warn(facts, "could not look through a store of images");
  else
    logger.warn(
      facts,
      "images that can still be rolled back to take more than the plan grants: see docs/runbooks/registry-is-full.md",
    );
}
