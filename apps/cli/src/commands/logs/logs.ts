import { searchLogs, LogLevel, type LogEntry } from "@starform/contract/logs";
import type { CallOutput } from "@starform/contract/route";
import { durationMs } from "@starform/std/duration";
import { command, countOf, flagOf, optionalWord, valueOf } from "../../command.ts";
import type { Api, Context } from "../../context.ts";
import { findDeployment } from "../../deploy/find-deployment.ts";
import { tailPatiently, type TailQuery } from "../../deploy/tail-patiently.ts";
import { usageError } from "../../exit-error.ts";
import { logLine } from "../../output/log-line.ts";
import { paramsOf, serviceOf, serviceTarget, type Target } from "../../target.ts";

type Flags = {
  build: boolean;
  deploy: boolean;
  http: boolean;
  follow: boolean;
  lines?: number;
  since?: string;
  until?: string;
  filter?: string;
  level?: string;
};

const pageMax = 5_000;
/** Pages of a log asked for whole that are held until they are shown; what is older is asked for again then. */
const heldPagesMax = 20;

export default command<Flags, [string?]>({
  brief: "show and follow logs",
  detail:
    "What the service writes, its newest lines first of all. With --build what the latest build said, with --http one line a request. --follow stays and shows new lines as they are written.",
  flags: {
    build: flagOf("the build's lines (of the latest deployment, or of the one that is named)"),
    deploy: flagOf("the running service's lines (what is shown without a flag)"),
    http: flagOf("one line for each request"),
    follow: flagOf("stay, and show new lines as they come"),
    lines: countOf("count", "how many lines (100; with --since all of them)"),
    since: valueOf("time", "only newer lines: 10m, 2h, 7d, or 2026-01-31T12:00:00Z"),
    until: valueOf("time", "only older lines, written like --since"),
    filter: valueOf("text", "only lines that hold this text, whatever its case"),
    level: valueOf("levels", "only these levels: error, or error,warn"),
  },
  aliases: { f: "follow", n: "lines" },
  positional: {
    kind: "tuple",
    parameters: [optionalWord("deployment", "only this deployment, by number or id")],
  },
  async run(context, flags, named) {
    const query = queryOf(context, flags);
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const deployment = await deploymentOf(api, target, flags, named);
    const scoped = { ...query, ...(deployment ? { deployment } : {}) };
    const show = (entry: LogEntry) =>
      context.isJson
        ? context.jsonLine(entry)
        : context.say(logLine(context, entry, { isShort: flags.build }));
    const isWhole = flags.lines === undefined && Boolean(flags.since || flags.build);
    if (flags.follow && isWhole) return followWhole(context, api, target, scoped, show);
    if (flags.follow) return follow(context, api, target, { ...scoped, ...backlogOf(context, flags) }, show);
    const until = flags.until ? { until: timeOf(context, flags.until) } : {};
    const pageOf = pagesOf(api, target, { ...scoped, ...until });
    const entries = isWhole ? await whole(pageOf, show) : await newest(pageOf, flags.lines ?? 100);
    if (!isWhole) for (const entry of entries) show(entry);
    if (entries.length === 0) context.note("no lines");
  },
});

function queryOf(context: Context, flags: Flags): TailQuery {
  if ([flags.build, flags.deploy, flags.http].filter(Boolean).length > 1)
    throw usageError("--build, --deploy and --http are three logs: name one of them");
  if (flags.follow && flags.until) throw usageError("--follow has no end: leave --until out");
  const wrong = flags.level?.split(",").find((level) => !LogLevel.safeParse(level).success);
  if (wrong !== undefined) throw usageError(`"${wrong}" is no level: ${LogLevel.options.join(", ")}`);
  return {
    stream: flags.build ? "build" : flags.http ? "http" : "stdout,stderr,system",
    ...(flags.level ? { level: flags.level } : {}),
    ...(flags.filter ? { filter: flags.filter } : {}),
    ...(flags.since ? { since: timeOf(context, flags.since) } : {}),
  };
}

/** `10m` is that long ago; anything else is a date. */
function timeOf({ host }: Context, text: string): string {
  const isAgo = /^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text);
  const at = new Date(isAgo ? host.now().getTime() - durationMs(text) : text);
  // Nor is one of before the calendar, or after it.
  if (!(at.getUTCFullYear() >= 0 && at.getUTCFullYear() <= 9_999))
    throw usageError(`"${text}" is no time: write 10m, 2h, 7d, or 2026-01-31T12:00:00Z`);
  return at.toISOString();
}

/** What a tail begins with; `-n 0` is nothing but what comes from now on. */
const backlogOf = ({ host }: Context, { lines = 100 }: Flags): TailQuery =>
  lines === 0 ? { since: host.now().toISOString(), limit: 1 } : { limit: Math.min(lines, 5_000) };

/** The deployment whose lines are meant; a build log without a name is the latest deployment's. */
async function deploymentOf(api: Api, target: Target, flags: Flags, named: string | undefined) {
  if (named) return (await findDeployment(api, target, named)).id;
  return flags.build ? (await serviceOf(api, target)).latestDeployment?.id : undefined;
}

type PageOf = (cursor: string | undefined, limit: number) => Promise<CallOutput<typeof searchLogs>>;

/** Pages of a log from its end backwards, each oldest first. */
const pagesOf =
  (api: Api, target: Target, query: TailQuery & { until?: string }): PageOf =>
  (cursor, limit) =>
    api.call(searchLogs, {
      params: paramsOf(target),
      query: { environment: target.environment, ...query, limit, ...(cursor ? { cursor } : {}) },
    });

/** The newest `count` lines, oldest first: pages are taken backwards until there are enough. */
async function newest(pageOf: PageOf, count: number): Promise<LogEntry[]> {
  const pages: LogEntry[][] = [];
  let cursor: string | undefined;
  for (let left = count; left > 0;) {
    const page = await pageOf(cursor, Math.min(left, pageMax));
    pages.unshift(page.items);
    left -= page.items.length;
    cursor = page.nextCursor;
    if (!cursor || page.items.length === 0) break;
  }
  return pages.flat();
}

/** Every line there is, oldest first, however many; resolves to the newest of them. */
async function whole(pageOf: PageOf, onEntry: (entry: LogEntry) => void): Promise<LogEntry[]> {
  const held: LogEntry[][] = [];
  const olderCursors: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await pageOf(cursor, pageMax);
    if (held.length < heldPagesMax) held.unshift(page.items);
    else olderCursors.unshift(cursor!);
    cursor = page.items.length > 0 ? page.nextCursor : undefined;
  } while (cursor);
  for (const older of olderCursors) for (const entry of (await pageOf(older, pageMax)).items) onEntry(entry);
  const entries = held.flat();
  for (const entry of entries) onEntry(entry);
  return entries;
}

/** All lines of a span and then what comes: a tail alone begins with so many lines, however long the span. */
async function followWhole(
  context: Context,
  api: Api,
  target: Target,
  query: TailQuery,
  onEntry: (entry: LogEntry) => void,
) {
  const entries = await whole(pagesOf(api, target, query), onEntry);
  return follow(context, api, target, { ...query, limit: 5_000 }, onEntry, entries);
}

async function follow(
  context: Context,
  api: Api,
  target: Target,
  query: TailQuery,
  onEntry: (entry: LogEntry) => void,
  shown: readonly LogEntry[] = [],
) {
  // A service that does not exist is told before the tail waits for it.
  await serviceOf(api, target);
  await tailPatiently(api, target, query, {
    signal: context.host.interrupted,
    shown,
    onEntry,
    onTrouble: (words) => context.note(`${words}; trying again`),
  });
  return 130;
}
