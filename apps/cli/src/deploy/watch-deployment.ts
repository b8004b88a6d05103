import { searchLogs, type LogEntry } from "@starform/contract/logs";
import type { Deployment } from "@starform/contract/deployments";
import { sayDuration } from "@starform/std/duration";
import { pause } from "@starform/std/retry";
import type { Api, Context } from "../context.ts";
import { exitCodes, ExitError, isInterruption } from "../exit-error.ts";
import { logLine } from "../output/log-line.ts";
import { flagFor, paramsOf, type Target } from "../target.ts";
import { followDeployment } from "./follow-deployment.ts";
import { sayEstimate, sayOutlook } from "./say-outlook.ts";
import { tailPatiently } from "./tail-patiently.ts";

/** The last line of every deploying command with `--json`. */
export type DeployResult = {
  readonly deploymentId: string;
  readonly status: string;
  readonly url: string | null;
  readonly imageDigest: string | null;
  readonly durationMs: number | null;
};

const steps: Record<string, string> = {
  pending: "Waiting for a builder",
  building: "Building",
  built: "Built",
  deploying: "Starting the new version",
};

/**
 * Shows a deployment until it has ended: its build log as far as it can be had, then its outcome. The exit code is the
 * deployment's, whatever becomes of the log. Interrupted, it says that the deployment goes on.
 */
export async function watchDeployment(
  context: Context,
  api: Api,
  target: Target,
  first: Deployment,
): Promise<number> {
  let last = first;
  let trouble: string | undefined;
  const { host, progress } = context;
  const startedAt = performance.now();
  const log = showBuildLog(context, api, target, first);
  const ticker = setInterval(() => {
    if (trouble) progress.say("Waiting for the platform", trouble);
    else if (steps[last.status])
      progress.say(steps[last.status]!, [sayDuration(performance.now() - startedAt), news(last)].join("  "));
  }, 1_000);
  try {
    report(context, first);
    const follow = followDeployment(api, first.id, {
      signal: host.interrupted,
      onTrouble: (words) => void (trouble = words),
    });
    for await (const deployment of follow) {
      if (isNews(deployment, last)) report(context, deployment);
      last = deployment;
    }
    await log.end(last.status === "deployed" ? 100 : 400);
    if (last.status === "failed") await showLastWords(context, api, target, last);
    return conclude(context, last);
  } catch (error) {
    if (context.isJson) context.jsonLine(resultOf(last));
    throw isInterruption(error) || host.interrupted.aborted ? goesOn(context, last) : error;
  } finally {
    clearInterval(ticker);
    await log.end(0);
    progress.end();
  }
}

export const resultOf = (deployment: Deployment): DeployResult => ({
  deploymentId: deployment.id,
  status: deployment.status,
  url: deployment.url,
  imageDigest: deployment.imageDigest,
  durationMs: deployment.durationMs,
});

function report(context: Context, deployment: Deployment): void {
  const { id, number, status, reason, inLine, estimate } = deployment;
  if (context.isJson)
    context.jsonLine({ event: "status", deploymentId: id, status, reason, inLine, estimate });
  else if (steps[status]) context.progress.say(steps[status], [`#${number}`, news(deployment)].join("  "));
}

const isNews = (now: Deployment, last: Deployment): boolean =>
  now.status !== last.status ||
  now.inLine?.position !== last.inLine?.position ||
  ((now.inLine?.beginsInMs ?? null) === null) !== ((last.inLine?.beginsInMs ?? null) === null);

/** What there is to say of one that waits, or is being built. */
const news = (deployment: Deployment): string =>
  (deployment.status === "pending"
    ? sayOutlook(deployment)
    : deployment.status === "building" && sayEstimate(deployment)) || "";

/** The build's lines beside the outcome: nothing that happens to them matters to it. */
function showBuildLog(context: Context, api: Api, target: Target, { id }: Deployment) {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.host.interrupted]);
  let lastAt = performance.now();
  const onEntry = (entry: LogEntry) => {
    lastAt = performance.now();
    if (context.isJson) context.jsonLine({ event: "log", ...entry });
    else context.say(context.paint("dim", logLine(context, entry, { isShort: true })));
  };
  const query = { deployment: id, stream: "build", limit: 5_000 };
  const tail = tailPatiently(api, target, query, { signal, onEntry }).catch(() => undefined);
  return {
    /** Lets the lines that are still on their way arrive: a moment without any, two seconds at most. */
    async end(quietMs: number) {
      if (stop.signal.aborted) return;
      const endedAt = performance.now();
      const isQuiet = () => performance.now() - Math.max(lastAt, endedAt) > quietMs;
      while (!isQuiet() && performance.now() - endedAt < 2_000) await pause(20, signal);
      stop.abort();
      await tail;
    },
  };
}

/** What the app itself said before it failed. */
async function showLastWords(
  context: Context,
  api: Api,
  target: Target,
  { id, stages }: Deployment,
): Promise<void> {
  if (stages.find(({ name }) => name === "deploy")?.outcome !== "failed") return;
  const query = { environment: target.environment, deployment: id, stream: "stdout,stderr", limit: 20 };
  const page = await api
    .call(searchLogs, { params: paramsOf(target), query }, { timeoutMs: 5_000 })
    .catch(() => undefined);
  context.progress.end();
  if (!page?.items.length) return;
  if (!context.isJson) context.say(`\nThe last lines of the app:`);
  for (const entry of page.items)
    if (context.isJson) context.jsonLine({ event: "log", ...entry });
    else context.say(`  ${logLine(context, entry, { isShort: true })}`);
}

/** Says how it ended; resolves to the exit code. The URL, or with `--json` the result, is the last line. */
function conclude(context: Context, deployment: Deployment): number {
  const { paint } = context;
  context.progress.end();
  const { status, number, reason, url, durationMs } = deployment;
  if (context.isJson) context.jsonLine(resultOf(deployment));
  const time = durationMs === null ? "" : ` in ${sayDuration(durationMs)}`;
  if (status === "deployed") {
    context.say(
      `${paint("green", "✓")} ${deployment.service} #${number} is live in ${deployment.environment}${time}`,
    );
    if (url) context.say(url);
    return 0;
  }
  if (!context.isJson)
    context.note(
      `${paint("red", "✗")} ${deployment.service} #${number} ${status === "cancelled" ? "was cancelled" : "failed"}${reason ? `: ${reason}` : ""}\n  what ran before keeps running; the whole build log: starform logs --build ${number}${flagFor(context, deployment.service)}`,
    );
  return exitCodes.failed;
}

const goesOn = (context: Context, { id, number, service }: Deployment): ExitError =>
  new ExitError(
    exitCodes.interrupted,
    `interrupted; deployment #${number} goes on. Watch it: starform deployments watch ${number}${flagFor(context, service)}; stop it: starform cancel ${id}`,
  );
