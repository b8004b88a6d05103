import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { folderSourceStore } from "../adapters/sources/source-store.ts";
import type { Config } from "../config.ts";
import type { Authenticate } from "../core/identity/authenticate.ts";
import type { Core } from "./core.ts";

/** The source store of an installation, and the built-in Git remote over it. */
export async function gitSources(config: Config, _core: Core, _logger: Logger, _stack: AsyncDisposableStack) {
  const sources = folderSourceStore({
    sourcesDir: join(config.dataDir, "sources"),
    gitDir: join(config.dataDir, "git"),
    isFileAllowed: true,
  });
  return { sources, routes: async (_app: FastifyInstance, _authenticate: Authenticate) => undefined };
}
