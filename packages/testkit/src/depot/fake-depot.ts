import { randomBytes, randomUUID } from "node:crypto";
import { pause } from "@starform/std/retry";
import { makeCertificates, openTlsBuilder, type TlsBuilder } from "../tls-builder.ts";
import { serveConnect, type Answer } from "./serve.ts";
import { ConnectFailure, type ConnectCode, type Json } from "./wire.ts";

export type FakeProject = {
  readonly projectId: string;
  readonly name: string;
  readonly regionId: string;
  readonly cachePolicy?: { keepGb?: number; keepDays?: number };
};

/** A build as Depot keeps its books: one without an outcome holds its machine, and is billed. */
export type FakeBuild = {
  readonly buildId: string;
  readonly projectId: string;
  readonly token: string;
  readonly health: number[];
  machine: TlsBuilder | undefined;
  isReleased: boolean;
  outcome: "success" | { readonly error: string } | undefined;
};

export type FakeDepot = {
  readonly url: string;
  /** The organization's token. */
  readonly token: string;
  readonly projects: FakeProject[];
  readonly builds: FakeBuild[];
  /** How often `pending` is said before a machine is there; Infinity for never. */
  pendings: number;
  /** Every call so named fails so many times. */
  fail(call: string, code: ConnectCode, times: number): void;
  /** Cuts the connections of every machine; it can be dialled again. */
  cutConnections(): void;
} & AsyncDisposable;

export type FakeDepotOptions = {
  /** The Docker Engine whose builder stands for Depot's machines. */
  readonly engineSocket: string;
  /** How long a machine stays without a report of health. */
  readonly healthMs?: number;
};

const pendingEveryMs = 100;

/**
 * Depot's API as a build uses it, over real BuildKit machines: a build's own TLS endpoint, which is gone once the build
 * is finished, its endpoint released, or no health was reported for a while. What it is asked and what it answers is
 * held against the vendor's contract.
 */
export async function openFakeDepot({
  engineSocket,
  healthMs = 20_000,
}: FakeDepotOptions): Promise<FakeDepot> {
  const token = `depot_org_${randomBytes(16).toString("hex")}`;
  const certificates = makeCertificates();
  const [projects, builds]: [FakeProject[], FakeBuild[]] = [[], []];
  const failures = new Map<string, { code: ConnectCode; left: number }>();
  const stop = new AbortController();
  const controls = { pendings: 1 };

  const byOrganization = (given: string): void => {
    if (given !== token) throw new ConnectFailure("unauthenticated", "invalid token");
  };
  const ownBuild = (given: string, { buildId }: Json): FakeBuild => {
    const build = builds.find((one) => one.token === given);
    if (!build) throw new ConnectFailure("unauthenticated", "invalid token");
    if (build.buildId !== buildId) throw new ConnectFailure("permission_denied", "a token of another build");
    if (build.outcome) throw new ConnectFailure("failed_precondition", "build is finished");
    return build;
  };
  const projectOf = ({ projectId }: Json): FakeProject => {
    const found = projects.find((one) => one.projectId === projectId);
    if (!found) throw new ConnectFailure("not_found", "project not found");
    return found;
  };
  const shown = (project: FakeProject): Json => ({
    ...project,
    organizationId: "org",
    createdAt: "2026-01-01T00:00:00Z",
  });
  const takeMachine = async (build: FakeBuild): Promise<void> => {
    const { machine } = build;
    build.machine = undefined;
    await machine?.[Symbol.asyncDispose]();
  };
  const unary = (answer: (request: Json, given: string) => Promise<Json> | Json): Answer =>
    async function* ({ messages, token: given }) {
      for await (const request of messages) yield await answer(request, given);
    };

  const answers: Record<string, Answer> = {
    "depot.core.v1.ProjectService/CreateProject": unary((request, given) => {
      byOrganization(given);
      const { name, regionId, cachePolicy } = request as Omit<FakeProject, "projectId">;
      const project = {
        projectId: randomBytes(5).toString("hex"),
        name,
        regionId,
        ...(cachePolicy && { cachePolicy }),
      };
      projects.push(project);
      return { project: shown(project) };
    }),
    "depot.core.v1.ProjectService/GetProject": unary((request, given) => {
      byOrganization(given);
      return { project: shown(projectOf(request)) };
    }),
    "depot.core.v1.ProjectService/ListProjects": unary((_request, given) => {
      byOrganization(given);
      return { projects: projects.map(shown) };
    }),
    "depot.core.v1.ProjectService/DeleteProject": unary((request, given) => {
      byOrganization(given);
      projects.splice(projects.indexOf(projectOf(request)), 1);
      return {};
    }),
    "depot.build.v1.BuildService/CreateBuild": unary((request, given) => {
      byOrganization(given);
      const { projectId } = projectOf(request);
      const buildToken = `depot_build_${randomBytes(16).toString("hex")}`;
      const build = { buildId: randomUUID().slice(0, 10), projectId, token: buildToken };
      builds.push({ ...build, health: [], machine: undefined, isReleased: false, outcome: undefined });
      return { buildId: build.buildId, buildToken };
    }),
    "depot.build.v1.BuildService/FinishBuild": unary(async ({ buildId, error }, given) => {
      byOrganization(given);
      const build = builds.find((one) => one.buildId === buildId);
      if (!build) throw new ConnectFailure("not_found", "build not found");
      build.outcome ??= error ? { error: String((error as Json)["error"] ?? "") } : "success";
      await takeMachine(build);
      return {};
    }),
    async *"depot.buildkit.v1.BuildKitService/GetEndpoint"({ messages, token: given, gone }) {
      for await (const request of messages) {
        const build = ownBuild(given, request);
        for (let said = 0; said < controls.pendings; said += 1) {
          yield { pending: {} };
          await pause(pendingEveryMs, AbortSignal.any([gone, stop.signal]));
          if (gone.aborted || stop.signal.aborted) return;
        }
        build.machine ??= await openTlsBuilder(engineSocket, certificates);
        build.health.push(Date.now());
        const { host, port, servername, ca, cert, key } = build.machine.endpoint;
        const pair = { cert: { cert }, key: { key } };
        yield {
          active: {
            endpoint: `tcp://${host}:${port}`,
            serverName: servername,
            cert: pair,
            caCert: { cert: ca },
          },
        };
      }
    },
    async *"depot.buildkit.v1.BuildKitService/ReportHealth"({ messages, token: given }) {
      for await (const request of messages) ownBuild(given, request).health.push(Date.now());
      yield {};
    },
    "depot.buildkit.v1.BuildKitService/ReleaseEndpoint": unary(async (request, given) => {
      const build = ownBuild(given, request);
      build.isReleased = true;
      await takeMachine(build);
      return {};
    }),
  };
  const failing = Object.entries(answers).map(([name, answer]): [string, Answer] => [
    name,
    async function* (asked) {
      const failure = failures.get(name.split("/")[1] ?? "");
      if (failure && failure.left-- > 0) throw new ConnectFailure(failure.code, "as the test wants it");
      yield* answer(asked);
    },
  ]);
  const server = await serveConnect(Object.fromEntries(failing));
  const watch = setInterval(() => {
    for (const build of builds)
      if (build.machine && Date.now() - (build.health.at(-1) ?? 0) > healthMs) void takeMachine(build);
  }, 200).unref();

  return {
    url: server.url,
    token,
    projects,
    builds,
    get pendings() {
      return controls.pendings;
    },
    set pendings(count) {
      controls.pendings = count;
    },
    fail: (call, code, times) => void failures.set(call, { code, left: times }),
    cutConnections: () => builds.forEach(({ machine }) => machine?.cut()),
    async [Symbol.asyncDispose]() {
      stop.abort();
      clearInterval(watch);
      await Promise.all(builds.map(takeMachine));
      await server[Symbol.asyncDispose]();
    },
  };
}
