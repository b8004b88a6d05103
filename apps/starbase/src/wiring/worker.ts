import { join } from "node:path";
import { proposeApart } from "@starform/build-plan/propose-apart";
import type { Logger } from "pino";
import { postgresHeadLedger } from "../adapters/postgres/head-ledger.ts";
import { openJobRunner } from "../adapters/postgres/job-runner.ts";
import { postgresQueueDepth } from "../adapters/postgres/queue-depth.ts";
import { pushedTrees } from "../adapters/sources/pushed-trees.ts";
import { folderWorkDirs } from "../adapters/sources/work-dirs.ts";
import type { Config } from "../config.ts";
import { collectCopies } from "../core/builds/collect-copies.ts";
import { reconcileHeads } from "../core/builds/reconcile-heads.ts";
import { tendBuildQueue } from "../core/builds/run-next-build.ts";
import { pruneCronRuns } from "../core/clusters/prune-cron-runs.ts";
import { acceptLostPush } from "../core/deployments/push.ts";
import { sweepDeployments } from "../core/deployments/sweep.ts";
import { proposalRun } from "../core/proposals/jobs.ts";
import { runProposal } from "../core/proposals/run-proposal.ts";
import { sweepProposals } from "../core/proposals/sweep-proposals.ts";
import { expireLogs } from "../core/telemetry/log-retention.ts";
import { workerMetrics } from "../core/telemetry/worker-metrics.ts";
import { cleanUpJobs } from "../jobs/clean-up.ts";
import { proposalRunJob } from "../jobs/proposal-run.ts";
import type { CronJob } from "../ports/job-queue.ts";
import type { LogStore } from "../ports/log-store.ts";
import { openBuilds } from "./builds.ts";
import { openCore, type Core } from "./core.ts";
import { openSources } from "./git.ts";
import { openImages } from "./images.ts";
import { openLogs } from "./logs.ts";
import { portTaken } from "./port-taken.ts";
import { openWorkerHttp } from "./worker-http.ts";

const concurrency = 6;
const proposalsAtOnce = 2;

/** Opens the Worker: everything longer than a few seconds. Closing it leaves unfinished jobs to the next. */
export async function openWorker(config: Config, logger: Logger): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const core = await openCore(config, logger, stack);
  const logs = openLogs(config, logger, stack);
  const { job, crons: ofBuilders } = await openBuilds(config, core, logger, stack);
  const images = openImages(config, core, logger);
  const handlers = cleanUpJobs({ sources: openSources(config), logs, removeImages: images.removeImages });
  const crons = [...cronsOf(config, { ...core, logs }, logger), ...ofBuilders, images.cron];
  const { url } = config.database;
  const metrics = workerMetrics(
    [...handlers.map(({ spec }) => spec), job.spec, proposalRun, ...crons].map(({ name }) => name),
  );
  const runs = { url, logger, onEnd: metrics.ended, onLost: core.outage.lost };
  stack.use(await openJobRunner({ ...runs, handlers, crons, concurrency }));
  const looking = proposalRunJob(
    runProposal({
      ...core,
      sources: openSources(config, core),
      propose: proposeApart,
      workDirs: folderWorkDirs(join(config.dataDir, "cache", "contexts")),
    }),
  );
  // Proposals wait for somebody's Git host, builds for their turn: what else there is to do is not behind them.
  stack.use(await openJobRunner({ ...runs, handlers: [looking], crons: [], concurrency: proposalsAtOnce }));
  stack.use(await openJobRunner({ ...runs, handlers: [job], crons: [], concurrency: config.buildsMax }));
  const place = { host: config.http.host, port: config.http.workerPort };
  stack.use(
    await openWorkerHttp(place, { metrics, depth: postgresQueueDepth(core.db) }).catch(
      portTaken(place, "STARBASE_WORKER_PORT"),
    ),
  );
  for (const { name, run } of crons)
    run(AbortSignal.timeout(60_000)).catch((error: unknown) =>
      logger.error({ err: error, job: name }, "a cron job failed"),
    );
  return stack.move();
}

const dayMs = 86_400_000;

function cronsOf(config: Config, core: Core & { logs: LogStore }, logger: Logger): CronJob[] {
  const sweep = sweepDeployments(core);
  const repositories = openSources(config);
  const push = acceptLostPush({ ...core, trees: pushedTrees(repositories) });
  const heads = {
    repositories,
    ledger: postgresHeadLedger(core.db),
    push,
    log: (text: string) => logger.warn(text),
  };
  return [
    { name: "deployments.sweep", schedule: "* * * * *", run: async () => void (await sweep()) },
    {
      name: "proposals.sweep",
      schedule: "* * * * *",
      run: async () => void (await sweepProposals(core)()),
    },
    { name: "builds.tend", schedule: "* * * * *", run: () => tendBuildQueue(core) },
    { name: "heads.reconcile", schedule: "* * * * *", run: async () => void (await reconcileHeads(heads)) },
    {
      name: "copies.collect",
      schedule: "29 * * * *",
      run: async (signal) => void (await collectCopies({ ...core, copies: repositories })(signal)),
    },
    { name: "logs.expire", schedule: "41 * * * *", run: expireLogs(core) },
    {
      name: "records.prune",
      schedule: "17 * * * *",
      run: async (signal) => {
        const dayAgo = new Date(core.clock.now().getTime() - dayMs);
        await core.stores.idempotency.prune(dayAgo);
        await core.stores.proposals.prune(core.clock.now());
        await pruneCronRuns({ ...core, clusters: core.stores.clusters })(signal);
        // A snapshot may be repeated for as long as Shuttle's log keeps it: a week.
        await core.stores.clusters.pruneSnapshots(new Date(dayAgo.getTime() - 6 * dayMs));
      },
    },
  ];
}
