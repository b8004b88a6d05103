import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { postgresHeadLedger } from "../adapters/postgres/head-ledger.ts";
import { networkVariables } from "../adapters/process-builder/machine-tools.ts";
import { gitHttpBackend } from "../adapters/sources/git-http-backend.ts";
import { pushedTrees } from "../adapters/sources/pushed-trees.ts";
import { folderSourceStore, type CodeOwner } from "../adapters/sources/source-store.ts";
import type { Config } from "../config.ts";
import { followDeployment } from "../core/deployments/follow.ts";
import { acceptPush, authorizeGit } from "../core/deployments/push.ts";
import { signInTo, type SignIn } from "../core/images/project-credentials.ts";
import type { Authenticate } from "../core/identity/authenticate.ts";
import type { WhileAllowed } from "../core/identity/while-allowed.ts";
import { gitRoutes } from "../http/git.ts";
import type { LogStore } from "../ports/log-store.ts";
import { publicUrlOf, type Core } from "./core.ts";

/** Where code is kept: uploads and repositories in the data directory. */
export function openSources(config: Config, core?: Pick<Core, "stores" | "box">) {
  const [sourcesDir, gitDir] = [join(config.dataDir, "sources"), join(config.dataDir, "git")];
  // Other users of the machine, apps without a sandbox among them, have no business in anybody's code.
  for (const dir of [sourcesDir, gitDir]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  return folderSourceStore({
    sourcesDir,
    gitDir,
    // The owner of an embedded installation owns the machine's files as well.
    isFileAllowed: config.owner !== undefined,
    networkVariables: networkVariables(config.network),
    ...(core ? { signInTo: gitSignIn(core) } : {}),
  });
}

/** What a project signs in to a Git host with. */
export const gitSignIn =
  ({ stores, box }: Pick<Core, "stores" | "box">) =>
  async (owner: CodeOwner, host: string): Promise<SignIn | undefined> => {
    const projectId =
      "projectId" in owner ? owner.projectId : (await stores.desired.projectOfService(owner.serviceId))?.id;
    const { credentials } = stores;
    return projectId === undefined
      ? undefined
      : signInTo({ credentials, box }, projectId, { kind: "git", host });
  };

/** Registers the built-in Git remote. */
export function serveGit(
  app: FastifyInstance,
  config: Config,
  core: Core & {
    sources: ReturnType<typeof openSources>;
    authenticate: Authenticate;
    whileAllowed: WhileAllowed;
    logs: LogStore;
    logger: Logger;
  },
): void {
  const { sources, logger } = core;
  gitRoutes(app, {
    authorize: authorizeGit(core),
    whileAllowed: core.whileAllowed,
    push: acceptPush({ ...core, trees: pushedTrees(sources) }),
    follow: followDeployment({ ...core, publicUrl: publicUrlOf(config.urls.gateway) }),
    commitOf: sources.commitOf,
    ledger: postgresHeadLedger(core.db),
    backend: gitHttpBackend({
      hooksDir: join(config.dataDir, "git", "hooks"),
      repositories: sources,
      log: (text) => logger.warn(text),
    }),
  });
}
