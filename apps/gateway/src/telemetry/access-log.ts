import type { GatewayRoute } from "@starform/contract/gateway";

/** One ended request, as the gateway saw it. */
export type AccessRecord = {
  readonly route: GatewayRoute;
  readonly startedAtMs: number;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly requestId: string;
  readonly remote: string;
  readonly userAgent: string;
  readonly upstreamId: string;
  /** `host:port` of the instance, empty if none was reached. */
  readonly upstream: string;
  /** Envoy's response flags, `-` for a plain success. */
  readonly flags: string;
};

/** The part of `@starform/log-shipper` that is used here. */
export type Shipper = {
  ship(line: {
    tsMs: number;
    workspaceId: string;
    projectId: string;
    environment: string;
    serviceId: string;
    level: "info" | "warn" | "error";
    message: string;
    stream: "http";
    seq: number;
    instanceId: string;
    attributes: Record<string, unknown>;
  }): void;
};

export type AccessLog = { record(entry: AccessRecord): void };

export const noAccessLog: AccessLog = { record: () => undefined };

/** Records per second and service; what is beyond is counted, and the count is shipped as a line of its own. */
const recordsPerSecondMax = 1_000;

/**
 * Ships one line per request. A flood of one service is cut at 1,000 lines a second, with a line that says how many
 * are missing, so that it neither costs the others their log nor goes unseen.
 */
export function accessLog(shipper: Shipper, now: () => number = Date.now): AccessLog {
  const budgets = new Map<string, { second: number; used: number; missing: number }>();
  let seq = now() * 1_000;

  const gap = (route: GatewayRoute, missing: number, tsMs: number): void =>
    shipper.ship({
      ...identity(route),
      tsMs,
      level: "warn",
      message: `${missing} requests within a second were served and not recorded: the limit is ${recordsPerSecondMax} records per second and service`,
      stream: "http",
      seq: seq++,
      instanceId: "",
      attributes: { missing },
    });

  return {
    record(entry) {
      const key = entry.route.name; // project, service and environment
      const nowMs = now();
      const second = Math.floor(nowMs / 1_000);
      let budget = budgets.get(key);
      if (!budget) {
        if (budgets.size > 10_000) budgets.clear();
        budgets.set(key, (budget = { second, used: 0, missing: 0 }));
      }
      if (budget.second !== second) {
        if (budget.missing > 0) gap(entry.route, budget.missing, nowMs);
        Object.assign(budget, { second, used: 0, missing: 0 });
      }
      if (budget.used++ < recordsPerSecondMax) shipper.ship(lineOf(entry, seq++));
      else budget.missing++;
    },
  };
}

const identity = (route: GatewayRoute) => ({
  workspaceId: route.workspace_id,
  projectId: route.project_id,
  environment: route.environment,
  serviceId: route.service_id,
});

function lineOf(entry: AccessRecord, seq: number): Parameters<Shipper["ship"]>[0] {
  const path = withoutQueryValues(entry.target);
  const durationMs = Math.round(entry.durationMs * 10) / 10;
  return {
    ...identity(entry.route),
    tsMs: entry.startedAtMs,
    level: entry.status >= 500 ? "error" : entry.status >= 400 ? "warn" : "info",
    message: `${entry.method} ${path} ${entry.status} ${durationMs} ms`,
    stream: "http",
    seq,
    instanceId: entry.upstreamId,
    attributes: {
      method: entry.method,
      path,
      status: entry.status,
      duration_ms: durationMs,
      request_bytes: entry.requestBytes,
      response_bytes: entry.responseBytes,
      request_id: entry.requestId,
      remote: entry.remote,
      user_agent: entry.userAgent.slice(0, 500),
      upstream: entry.upstream,
      flags: entry.flags,
    },
  };
}

/** `/login?token=abc&next=%2F` → `/login?token=*&next=*`: a query may hold a secret, its names tell enough. */
export function withoutQueryValues(target: string): string {
  const mark = target.indexOf("?");
  const path = (mark === -1 ? target : target.slice(0, mark)).slice(0, 1_000);
  if (mark === -1) return path;
  const names = target
    .slice(mark + 1)
    .split("&")
    .slice(0, 50);
  return `${path}?${names.map((pair) => (pair.includes("=") ? `${pair.slice(0, pair.indexOf("=")).slice(0, 100)}=*` : "*")).join("&")}`;
}
