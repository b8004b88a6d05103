import { starformJsonSchema } from "@starform/build-plan/starform-file";
import { desiredStatePurpose } from "@starform/contract/clusters";
import { starformSchemaPath } from "@starform/contract/hosts";
import { isUuid } from "@starform/std/ids";
import { Fault } from "@starform/std/fault";
import { signerOf } from "@starform/std/signature";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { Cluster } from "../core/clusters/ports.ts";
import { platformAuthorizer } from "../core/access/platform-owner.ts";
import { createCluster, listClusters, rotateClusterToken } from "../core/clusters/manage-clusters.ts";
import { takeCronRun, takeSnapshots } from "../core/clusters/take-reports.ts";
import { outlooks } from "../core/builds/outlooks.ts";
import { cancelDeployment } from "../core/deployments/cancel.ts";
import { observe } from "../core/deployments/observe.ts";
import { rollBackDeployment } from "../core/deployments/roll-back-deployment.ts";
import { serveDesiredState } from "../core/desired-state/serve-desired-state.ts";
import {
  createEnvironment,
  deleteEnvironment,
  updateEnvironment,
} from "../core/environments/environments.ts";
import { createToken, deleteToken } from "../core/identity/api-tokens.ts";
import { authenticator } from "../core/identity/authenticate.ts";
import { ensureOwner } from "../core/identity/ensure-owner.ts";
import { hashOfSecret } from "../core/identity/secret-token.ts";
import { whileAllowed } from "../core/identity/while-allowed.ts";
import { createLoginLink, refreshSession, signIn } from "../core/identity/sessions.ts";
import { createRegistryPassword } from "../core/images/create-registry-password.ts";
import { deleteCredential, listCredentials, putCredential } from "../core/images/project-credentials.ts";
import { createProject } from "../core/projects/create-project.ts";
import { deleteProject } from "../core/projects/delete-project.ts";
import { createProposal } from "../core/proposals/create-proposal.ts";
import { createService, deleteService, restartService } from "../core/services/services.ts";
import { updateService } from "../core/services/update-service.ts";
import { listServiceVariables, revealVariable } from "../core/variables/show-variables.ts";
import { setGroupVariables } from "../core/variables/set-group-variables.ts";
import { setServiceVariables } from "../core/variables/set-service-variables.ts";
import { createGroup, deleteGroup, placeGroup } from "../core/variables/var-groups.ts";
import {
  createWorkspace,
  deleteMember,
  deleteProjectMember,
  putMember,
  putProjectMember,
} from "../core/workspaces/members.ts";
import { buildRoutes } from "../http/builds.ts";
import { clusterRecordRoutes } from "../http/cluster-records.ts";
import { clusterRoutes } from "../http/clusters.ts";
import { deploymentRoutes, sourceRoutes } from "../http/deployments.ts";
import { identityRoutes } from "../http/identity.ts";
import { logRoutes, metricRoutes } from "../http/logs.ts";
import type { Urls } from "../http/present.ts";
import { environmentRoutes, projectRoutes, workspaceRoutes } from "../http/projects.ts";
import { proposalRoutes } from "../http/proposals.ts";
import { openApi } from "../http/reference.ts";
import type { ServeDeps } from "../http/serve.ts";
import { registryLoginRoutes } from "../http/registries.ts";
import { buildServer } from "../http/server.ts";
import { serviceRoutes, variableRoutes } from "../http/services.ts";
import { varGroupRoutes } from "../http/var-groups.ts";
import { joinedCore, openCore, publicUrlOf, type Core } from "./core.ts";
import { openSources, serveGit } from "./git.ts";
import { openLogs } from "./logs.ts";
import { metricStoreOf } from "./metrics.ts";
import { portTaken } from "./port-taken.ts";
import { serveRegistry } from "./registry.ts";

/** Opens the API and answers once it listens; closes what it opened when it is disposed of. */
export async function openApiServer(
  config: Config,
  logger: Logger,
): Promise<AsyncDisposable & { readonly address: string }> {
  await using stack = new AsyncDisposableStack();
  const core = await openCore(config, logger, stack);
  await ensureInstallation(config, core);
  const deps = { ...core, ...serveDeps(config, core), ...useCases(config, core), urls: urlsOf(config) };
  const app = buildServer({ logger });
  stack.defer(() => app.close());
  await openApi(app, config.urls.api);
  app.get(starformSchemaPath, { schema: { hide: true } }, () => starformJsonSchema());
  app.get("/healthz", { schema: { hide: true } }, () => ({ status: "ok" }));
  for (const routes of [
    identityRoutes,
    workspaceRoutes,
    projectRoutes,
    environmentRoutes,
    serviceRoutes,
    proposalRoutes,
    variableRoutes,
    varGroupRoutes,
  ])
    routes(app, deps);
  const delivery = { ...deps, sources: openSources(config) };
  deploymentRoutes(app, delivery);
  sourceRoutes(app, delivery);
  buildRoutes(app, deps);
  clusterRoutes(app, deps);
  clusterRecordRoutes(app, { ...deps, publicSigningKeys: signerFor(config)?.publicKeys });
  const telemetry = { ...deps, logs: openLogs(config, logger, stack), metrics: metricStoreOf(config, stack) };
  logRoutes(app, telemetry);
  metricRoutes(app, telemetry);
  serveGit(app, config, { ...telemetry, ...delivery, logger });
  serveRegistry(app, config, deps);
  registryLoginRoutes(app, deps);
  const address = await app
    .listen({ port: config.http.port, host: config.http.host })
    .catch(portTaken(config.http, "STARBASE_PORT"));
  const opened = stack.move();
  return { address, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The owner and cluster an embedded installation begins with. */
async function ensureInstallation(config: Config, { transact, clock }: Core): Promise<void> {
  const { owner, cluster } = config;
  if (cluster)
    await transact(({ clusters }) =>
      clusters.ensure({
        id: cluster.id,
        regionId: cluster.region,
        runtime: cluster.runtime,
        tokenHash: hashOfSecret(cluster.token),
        createdAt: clock.now(),
      }),
    );
  if (owner) await ensureOwner({ transact, clock, plan: config.plan })(owner);
}

const urlsOf = ({ urls }: Config): Urls => ({
  publicUrl: publicUrlOf(urls.gateway),
  gitUrl: (project, service) => `${urls.api}/git/${project.slug}/${service}.git`,
});

function serveDeps(config: Config, core: Core): ServeDeps {
  const { authenticate, lookAgain, forgetAll } = authenticator(core);
  core.changes.on("identity", forgetAll);
  return {
    authenticate,
    whileAllowed: whileAllowed({ changes: core.changes, lookAgain }),
    authenticateCluster: clusterAuthenticator(core),
    inOneTransaction: (deps, work) =>
      core.transact((uow) => {
        const joined = joinedCore(core, uow);
        return work({ ...deps, ...joined, ...useCases(config, joined) }, uow.idempotency);
      }),
    box: core.box,
    clock: core.clock,
  };
}

const clusterAuthenticator =
  ({ stores }: Core) =>
  async (authorization: string | undefined, clusterId: string): Promise<Cluster> => {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
    const cluster = token ? await stores.clusters.byToken(hashOfSecret(token)) : undefined;
    if (!cluster)
      throw new Fault(
        "unauthenticated",
        "this is not the token of a cluster: check STARFORM_AUTH_TOKEN_FILE",
      );
    if (!isUuid(clusterId) || cluster.id !== clusterId)
      throw new Fault("not_found", "this token opens another cluster: check STARFORM_CLUSTER_ID");
    return cluster;
  };

function useCases(config: Config, core: Core) {
  const deps = { ...core, appsDomain: config.appsDomain, dashboardUrl: config.urls.dashboard };
  return {
    createLoginLink: createLoginLink(deps),
    signIn: signIn(deps),
    refreshSession: refreshSession(deps),
    signOut: (actor: { userId: string }) =>
      core.transact(({ sessions, changes }) =>
        sessions.revokeAll(actor.userId, core.clock.now()).then(() => changes.announce({ kind: "identity" })),
      ),
    createToken: createToken(deps),
    deleteToken: deleteToken(deps),
    createWorkspace: createWorkspace({ ...deps, plan: config.plan }),
    putMember: putMember(deps),
    deleteMember: deleteMember(deps),
    createProject: createProject(deps),
    deleteProject: deleteProject(deps),
    putProjectMember: putProjectMember(deps),
    deleteProjectMember: deleteProjectMember(deps),
    createEnvironment: createEnvironment(deps),
    updateEnvironment: updateEnvironment(deps),
    deleteEnvironment: deleteEnvironment(deps),
    createService: createService(deps),
    createProposal: createProposal(deps),
    updateService: updateService(deps),
    deleteService: deleteService(deps),
    restartService: restartService(deps),
    listServiceVariables: listServiceVariables(deps),
    revealVariable: revealVariable(deps),
    setServiceVariables: setServiceVariables(deps),
    createGroup: createGroup(deps),
    setGroupVariables: setGroupVariables(deps),
    deleteGroup: deleteGroup(deps),
    placeGroup: placeGroup(deps),
    outlooks: outlooks(deps),
    listCredentials: listCredentials(deps),
    putCredential: putCredential(deps),
    deleteCredential: deleteCredential(deps),
    createRegistryPassword: createRegistryPassword(deps),
    cancelDeployment: cancelDeployment(deps),
    rollBackDeployment: rollBackDeployment(deps),
    observe: observe(deps),
    takeCronRun: takeCronRun(deps),
    takeSnapshots: takeSnapshots(deps),
    serveDesiredState: serveDesiredState({
      ...deps,
      desired: core.stores.desired,
      sign: signerFor(config)?.sign,
    }),
    ...clusterUseCases(config, core),
  };
}

function clusterUseCases(config: Config, core: Core) {
  const authorizePlatform = platformAuthorizer({
    access: core.stores.access,
    owners: config.platformOwners,
  });
  const deps = { ...core, authorizePlatform, clusterRecords: core.stores.clusterRecords };
  return {
    listClusters: listClusters(deps),
    createCluster: createCluster(deps),
    rotateClusterToken: rotateClusterToken(deps),
  };
}

const signerFor = ({ signingKeys }: Config) =>
  signingKeys ? signerOf(signingKeys, desiredStatePurpose) : undefined;
