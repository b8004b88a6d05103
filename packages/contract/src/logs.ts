import { z } from "zod";
import { Timestamp } from "./names.ts";
import { route } from "./route.ts";
import { environmentQuery, serviceParams } from "./services.ts";
import { projectParams } from "./projects.ts";

export const LogLevel = z.enum(["debug", "info", "warn", "error"]);
export const LogStream = z.enum(["stdout", "stderr", "build", "http", "system"]);

export const LogEntry = z
  .object({
    ts: Timestamp,
    service: z.string(),
    level: LogLevel,
    stream: LogStream,
    message: z.string(),
    instance: z.string(),
    deploymentId: z.string().nullable(),
    buildId: z.string().nullable(),
    attributes: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: "LogEntry" });
export type LogEntry = z.infer<typeof LogEntry>;

/** A list in a query: `level=error,warn`. */
const listOf = <T extends z.ZodType<string, string>>(item: T) =>
  z
    .string()
    .max(200)
    .transform((text) => text.split(",").filter(Boolean))
    .pipe(z.array(item));

export const LogQuery = environmentQuery.extend({
  /** Lines that contain this text, whatever its case. */
  filter: z.string().max(500).optional(),
  level: listOf(LogLevel).optional(),
  stream: listOf(LogStream).optional(),
  since: Timestamp.optional(),
  until: Timestamp.optional(),
  deployment: z.uuid().optional(),
  build: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(5_000).default(200),
  cursor: z.string().max(256).optional(),
});

export const searchLogs = route({
  id: "searchLogs",
  method: "GET",
  path: "/v1/projects/:project/services/:service/logs",
  area: "logs",
  summary:
    "Log lines, oldest first within the page; the page ends at the newest unless `cursor` goes further back. They are kept for as long as the workspace's plan says: 7, 30 or 90 days.",
  params: serviceParams,
  query: LogQuery.refine(({ since, until }) => !since || !until || new Date(since) <= new Date(until), {
    path: ["until"],
    message: "must not be before `since`: nothing is in between",
  }),
  response: z.object({ items: z.array(LogEntry), nextCursor: z.string().optional() }),
});
export const tailLogs = route({
  id: "tailLogs",
  method: "GET",
  path: "/v1/projects/:project/services/:service/logs/tail",
  area: "logs",
  form: "stream",
  summary:
    "The last `limit` lines and then every new one as it is written, one JSON object a line. An empty line is a sign of life.",
  params: serviceParams,
  query: LogQuery.omit({ cursor: true, until: true }),
  response: LogEntry,
});

export const MetricName = z.enum([
  "cpu",
  "memory",
  "requests",
  "errors",
  "latency_p50",
  "latency_p95",
  "latency_p99",
  "throughput",
  "network",
]);
export const getMetrics = route({
  id: "getMetrics",
  method: "GET",
  path: "/v1/projects/:project/services/:service/metrics/:metric",
  area: "metrics",
  summary: "One metric of a service over time.",
  params: serviceParams.extend({ metric: MetricName }),
  query: environmentQuery.extend({
    minutes: z.coerce.number().int().min(1).max(43_200).default(60),
    points: z.coerce.number().int().min(2).max(1_000).default(60),
  }),
  response: z.object({
    unit: z.string(),
    /** `false` where this installation keeps no metrics; `note` says what to install. */
    isKept: z.boolean(),
    note: z.string().nullable(),
    points: z.array(z.object({ ts: Timestamp, value: z.number() })),
  }),
});

/** A line for a project's events feed: what was decided and what happened. */
export const getProjectStatus = route({
  id: "getProjectStatus",
  method: "GET",
  path: "/v1/projects/:project/revision",
  area: "projects",
  summary:
    "A number that grows with every change in the project; with `seen` and `wait` the answer comes at the next change.",
  params: projectParams,
  query: z.object({
    seen: z.coerce.number().int().optional(),
    wait: z.coerce.number().int().min(0).max(60).default(0),
  }),
  response: z.object({ revision: z.number().int() }),
});
