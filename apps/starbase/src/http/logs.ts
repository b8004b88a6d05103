import * as contract from "@starform/contract/logs";
import type { FastifyInstance } from "fastify";
import type { ServerResponse } from "node:http";
import type { Authorize } from "../core/access/authorize.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { Stores } from "../core/stores.ts";
import { logsKeptSince } from "../core/telemetry/log-retention.ts";
import type { LogEntry, LogFilter, LogScope, LogStore } from "../ports/log-store.ts";
import { metricUnits, type MetricScope, type MetricStore } from "../ports/metric-store.ts";
import { openTails } from "./open-tails.ts";
import { serve, type ServeDeps } from "./serve.ts";
import { placeIn } from "./services.ts";

export type TelemetryDeps = ServeDeps & {
  stores: Stores;
  authorize: Authorize;
  logs: LogStore;
  metrics: MetricStore;
};

const signOfLifeMs = 10_000;

export function logRoutes(app: FastifyInstance, deps: TelemetryDeps): void {
  /** The scope comes from the caller's grants alone; nothing of the request widens it. */
  const scopeOf = async (actor: Actor, ref: { project: string; service: string; environment: string }) => {
    const { project, place, environment } = await placeIn(deps, actor, ref, "logs.read");
    const plan = await deps.stores.workspaces.plan(project.workspaceId);
    const scope: LogScope = {
      workspaceId: project.workspaceId,
      projectId: project.id,
      environment: environment.name,
      serviceIds: [place.id],
      keptSince: logsKeptSince(plan, deps.clock.now()),
    };
    return { scope, service: place.name };
  };
  serve(app, deps, contract.searchLogs, async ({ actor, params, query }) => {
    const { scope, service } = await scopeOf(actor, { ...params, environment: query.environment });
    const page = await deps.logs.search(scope, filterOf(query), {
      limit: query.limit,
      ...(query.cursor ? { cursor: query.cursor } : {}),
    });
    return {
      items: page.entries.map((entry) => presentEntry(entry, service)),
      ...(page.nextCursor ? { nextCursor: page.nextCursor } : {}),
    };
  });
  const tails = openTails();
  serve(app, deps, contract.tailLogs, async ({ actor, params, query, request, reply, signal }) => {
    const ref = { ...params, environment: query.environment };
    const { scope, service } = await scopeOf(actor, ref);
    const caller = {
      authorization: request.headers.authorization,
      signal,
      check: (now: Actor) => placeIn(deps, now, ref, "logs.read"),
    };
    await tails.within(actor.userId, async () => {
      reply.hijack();
      await deps
        .whileAllowed(caller, (allowed) =>
          sendTail(reply.raw, service, deps.logs.tail(scope, tailOf(query), allowed), allowed),
        )
        .catch((error: unknown) => reply.log.warn({ err: error }, "a log tail ended"));
      reply.raw.end();
    });
    return undefined as never;
  });
}

/** Sends lines as they come, and a sign of life where none do. */
async function sendTail(
  raw: ServerResponse,
  service: string,
  tail: AsyncIterable<LogEntry[]>,
  signal: AbortSignal,
): Promise<void> {
  raw.writeHead(200, {
    "content-type": "application/x-ndjson",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  raw.flushHeaders();
  raw.write("\n");
  const alive = setInterval(() => raw.write("\n"), signOfLifeMs);
  try {
    for await (const entries of tail) {
      const isTaken = raw.write(
        entries.map((entry) => `${JSON.stringify(presentEntry(entry, service))}\n`).join(""),
      );
      if (!isTaken && !signal.aborted) await drained(raw, signal);
    }
  } finally {
    clearInterval(alive);
  }
}

/** Whoever reads no more is not waited for once the tail is to end. */
const drained = (raw: ServerResponse, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    raw.once("drain", resolve).once("close", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

type Query = {
  filter?: string | undefined;
  level?: readonly ("debug" | "info" | "warn" | "error")[] | undefined;
  stream?: readonly ("stdout" | "stderr" | "build" | "http" | "system")[] | undefined;
  since?: string | undefined;
  until?: string | undefined;
  deployment?: string | undefined;
  build?: string | undefined;
};
const filterOf = (query: Query): LogFilter => ({
  ...(query.filter ? { text: query.filter } : {}),
  ...(query.level ? { levels: query.level } : {}),
  ...(query.stream ? { streams: query.stream } : {}),
  ...(query.since ? { since: new Date(query.since) } : {}),
  ...(query.until ? { until: new Date(query.until) } : {}),
  ...(query.deployment ? { deploymentId: query.deployment } : {}),
  ...(query.build ? { buildId: query.build } : {}),
});

const tailOf = ({ limit, ...query }: Query & { limit: number }) => ({ ...filterOf(query), backlog: limit });

const presentEntry = (entry: LogEntry, service: string): contract.LogEntry => ({
  ts: entry.ts.toISOString(),
  service,
  level: entry.level,
  stream: entry.stream,
  message: entry.message,
  instance: entry.instanceId ?? "",
  deploymentId: entry.deploymentId ?? null,
  buildId: entry.buildId ?? null,
  attributes: entry.attributes ? { ...entry.attributes } : null,
});

export function metricRoutes(app: FastifyInstance, deps: TelemetryDeps): void {
  serve(app, deps, contract.getMetrics, async ({ actor, params, query }) => {
    const { project, place, environment } = await placeIn(
      deps,
      actor,
      { ...params, environment: query.environment },
      "metrics.read",
    );
    const to = deps.clock.now();
    const scope: MetricScope = {
      workspaceId: project.workspaceId,
      projectId: project.id,
      environment: environment.name,
      serviceIds: [place.id],
    };
    const from = new Date(to.getTime() - query.minutes * 60_000);
    const stepSeconds = Math.max(15, Math.round((query.minutes * 60) / query.points));
    const points = await deps.metrics.series(scope, { metric: params.metric, from, to, stepSeconds });
    return {
      unit: metricUnits[params.metric],
      isKept: deps.metrics.whyNone === undefined,
      note: deps.metrics.whyNone ?? null,
      points: points.map(({ ts, value }) => ({ ts: new Date(ts).toISOString(), value })),
    };
  });
}
