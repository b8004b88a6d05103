import { BuilderLost } from "@starform/buildkit/builder-lost";
import type { TlsEndpoint } from "@starform/buildkit/transport";
import { backoffMs, pause } from "@starform/std/retry";
import { cacheKeepDays } from "../buildkit/builder-pool.ts";
import { openDepotSdk, type DepotSdk } from "./depot-sdk.ts";

export type DepotBuild = { readonly buildId: string; readonly token: string };
export type DepotOutcome = "success" | { readonly error: string };
export type DepotProject = { readonly projectId: string; readonly name: string };

export type DepotApiOptions = {
  readonly apiUrl: string;
  /** Of the organization. */
  readonly token: string;
  /** How long trouble that may heal is waited out. */
  readonly patienceMs?: number;
};

/** The calls of Depot that a build makes. No error carries a token. */
export type DepotApi = {
  projects(): Promise<DepotProject[]>;
  createProject(project: { name: string; regionId: string; cacheGb: number }): Promise<DepotProject>;
  /** One that is gone is no error. */
  deleteProject(projectId: string): Promise<void>;
  /** Takes no signal: an answer that nobody waits for would be a build that nobody ends. */
  createBuild(projectId: string): Promise<DepotBuild>;
  /** Waits for a machine; `onWaiting` is called each time Depot says that there is none yet. */
  endpoint(build: DepotBuild, signal: AbortSignal, onWaiting: () => void): Promise<TlsEndpoint>;
  /** Says every five seconds that the build lives, until the signal fires; a machine nobody reports of is taken away. */
  reportHealth(build: DepotBuild, signal: AbortSignal): Promise<void>;
  /** Gives the machine back; one that is gone is no error. */
  release(build: DepotBuild): Promise<void>;
  /** One that ended already, or that Depot does not know, is no error. */
  finish(build: DepotBuild, outcome: DepotOutcome): Promise<void>;
};

/** Depot's own numbers for what its SDK does not export. */
const amd64 = 1;
const callTimeoutMs = 20_000;
const healthEveryMs = 5_000;

export async function depotApi({ apiUrl, token, patienceMs = 30_000 }: DepotApiOptions): Promise<DepotApi> {
  const { depot, codeOf } = await openDepotSdk(apiUrl);
  const { ProjectService } = depot.core.v1;
  const { BuildService } = depot.build.v1;
  const { BuildKitService } = depot.buildkit.v1;
  const own = { headers: { Authorization: `Bearer ${token}` }, timeoutMs: callTimeoutMs };
  const as = ({ token: buildToken }: DepotBuild) => ({ headers: { Authorization: `Bearer ${buildToken}` } });
  const plain = (error: unknown, secrets: readonly string[] = []): Error =>
    told(error, codeOf(error), [token, ...secrets]);

  const unless = (codes: ReadonlySet<string>, call: Promise<unknown>): Promise<unknown> =>
    call.catch((error: unknown) => {
      if (!codes.has(codeOf(error))) throw error;
    });

  /** A call that may be made twice. */
  async function again<T>(
    call: () => Promise<T>,
    signal?: AbortSignal,
    secrets: readonly string[] = [],
  ): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        signal?.throwIfAborted();
        if (!mayHeal.has(codeOf(error)) || performance.now() > deadline) throw plain(error, secrets);
        await pause(backoffMs({ firstMs: 200, maxMs: 5_000 }, attempt), signal);
      }
    }
  }

  return {
    projects: async () => (await again(() => ProjectService.listProjects({}, own))).projects,

    // Neither call may be made twice: each would make a second one.
    async createProject({ name, regionId, cacheGb }) {
      const asked = { name, regionId, cachePolicy: { keepGb: cacheGb, keepDays: cacheKeepDays } };
      const { project } = await ProjectService.createProject(asked, own).catch((error: unknown) => {
        throw plain(error);
      });
      if (!project) throw new Error("Depot answered a new project without saying which");
      return project;
    },
    async createBuild(projectId) {
      const made = await BuildService.createBuild({ projectId }, own).catch((error: unknown) => {
        throw plain(error);
      });
      return { buildId: made.buildId, token: made.buildToken };
    },

    async deleteProject(projectId) {
      await again(() => unless(gone, ProjectService.deleteProject({ projectId }, own)));
    },

    endpoint: (build, signal, onWaiting) =>
      again(
        () => activeEndpoint(BuildKitService, build.buildId, { ...as(build), signal }, onWaiting),
        signal,
        [build.token],
      ),

    async reportHealth(build, signal) {
      while (!signal.aborted) {
        const reports = beats(build.buildId, signal);
        // One that breaks is begun anew at the next beat; whether the machine is gone, its connection says.
        await BuildKitService.reportHealth(reports, { ...as(build), signal }).catch(() => undefined);
        await pause(healthEveryMs, signal);
      }
    },

    async release(build) {
      const asked = { buildId: build.buildId, platform: amd64 };
      const options = { ...as(build), timeoutMs: callTimeoutMs };
      await again(() => unless(isOver, BuildKitService.releaseEndpoint(asked, options)), undefined, [
        build.token,
      ]);
    },

    async finish({ buildId, token: buildToken }, outcome) {
      const result =
        outcome === "success"
          ? ({ case: "success", value: {} } as const)
          : ({ case: "error", value: { error: outcome.error } } as const);
      await again(() => unless(gone, BuildService.finishBuild({ buildId, result }, own)), undefined, [
        buildToken,
      ]);
    },
  };
}

/** Answers that another try may change. */
const mayHeal = new Set([
  "unavailable",
  "deadline_exceeded",
  "aborted",
  "internal",
  "unknown",
  "resource_exhausted",
]);
/** What is answered of something that has ended. */
const gone = new Set(["not_found", "failed_precondition"]);
/** The same for one who comes with the build's own token: there is nothing left to give back. */
const isOver = new Set([...gone, "unauthenticated", "permission_denied"]);

async function activeEndpoint(
  service: DepotSdk["buildkit"]["v1"]["BuildKitService"],
  buildId: string,
  options: { headers: Record<string, string>; signal: AbortSignal },
  onWaiting: () => void,
): Promise<TlsEndpoint> {
  for await (const { connection } of service.getEndpoint({ buildId, platform: amd64 }, options)) {
    if (connection.case === "pending") onWaiting();
    if (connection.case !== "active") continue;
    const { endpoint, serverName, cert, caCert } = connection.value;
    const { hostname, port } = new URL(endpoint.replace(/^tcp:/, "https:"));
    return {
      host: hostname,
      port: Number(port || 443),
      servername: serverName,
      ca: caCert?.cert ?? "",
      cert: cert?.cert?.cert ?? "",
      key: cert?.key?.key ?? "",
    };
  }
  throw new BuilderLost("Depot ended the wait for a machine without giving one");
}

async function* beats(buildId: string, signal: AbortSignal) {
  while (!signal.aborted) {
    yield { buildId, platform: amd64 };
    await pause(healthEveryMs, signal);
  }
}

function told(error: unknown, code: string, secrets: readonly string[]): Error {
  const said = error instanceof Error ? error.message : String(error);
  const words = secrets.reduce((text, secret) => text.replaceAll(secret, "[token]"), said);
  if (code === "unauthenticated" || code === "permission_denied")
    return new Error(`Depot refused the token: check STARBASE_DEPOT_TOKEN (${words})`);
  const message = `Depot could not be asked: ${words}`;
  // The SDK's error is not kept as the cause: it holds the request's headers.
  return mayHeal.has(code) ? new BuilderLost(message) : new Error(message);
}
