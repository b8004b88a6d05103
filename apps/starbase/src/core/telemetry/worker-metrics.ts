/**
 * How a job's run ended. `retried`: it failed and comes again; `given_up`: it does not; `returned`: the Worker closed,
 * and the job is the next one's; `lost`: another Worker was given it meanwhile.
 */
export type JobOutcome = "succeeded" | "retried" | "given_up" | "returned" | "lost";
export type JobEnded = { readonly job: string; readonly outcome: JobOutcome; readonly seconds: number };

export type JobState = "waiting" | "scheduled" | "running" | "given_up";
/** What there is to do, for all Workers together. */
export type QueueDepth = {
  readonly jobs: readonly { readonly job: string; readonly state: JobState; readonly count: number }[];
  /** Builds in line that nobody has begun. */
  readonly buildsWaiting: number;
};

const outcomes: readonly JobOutcome[] = ["succeeded", "retried", "given_up", "returned", "lost"];
const states: readonly JobState[] = ["waiting", "scheduled", "running", "given_up"];
/** In seconds: a sweep takes hundredths, a build minutes. */
const buckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1_200, 3_600];

type Series = { outcomes: Record<JobOutcome, number>; counts: number[]; sum: number };

export type WorkerMetrics = ReturnType<typeof workerMetrics>;

/** What a Worker has done since it began, in Prometheus' text format. `jobs`: those it may run. */
export function workerMetrics(jobs: readonly string[]) {
  const newSeries = (): Series => ({
    outcomes: { succeeded: 0, retried: 0, given_up: 0, returned: 0, lost: 0 },
    counts: buckets.map(() => 0),
    sum: 0,
  });
  // From nought, so that the first failure is seen as an increase.
  const ended = new Map(jobs.map((job) => [job, newSeries()]));
  return {
    ended({ job, outcome, seconds }: JobEnded): void {
      const series = ended.get(job) ?? newSeries();
      ended.set(job, series);
      series.outcomes[outcome] += 1;
      series.sum += seconds;
      buckets.forEach((bound, at) => void (seconds <= bound && (series.counts[at]! += 1)));
    },

    /** Without a depth, which the database could not tell, its series are left out: unknown is not nought. */
    text(depth: QueueDepth | undefined): string {
      const lines = ["# TYPE starform_jobs_total counter"];
      for (const [job, series] of ended)
        for (const outcome of outcomes)
          lines.push(`starform_jobs_total{job="${job}",outcome="${outcome}"} ${series.outcomes[outcome]}`);
      const name = "starform_job_duration_seconds";
      lines.push(`# TYPE ${name} histogram`);
      for (const [job, { counts, sum, outcomes: all }] of ended) {
        const count = outcomes.reduce((total, outcome) => total + all[outcome], 0);
        counts.forEach((value, at) =>
          lines.push(`${name}_bucket{job="${job}",le="${buckets[at]}"} ${value}`),
        );
        lines.push(
          `${name}_bucket{job="${job}",le="+Inf"} ${count}`,
          `${name}_sum{job="${job}"} ${sum}`,
          `${name}_count{job="${job}"} ${count}`,
        );
      }
      if (depth)
        lines.push(...depthLines(new Set([...ended.keys(), ...depth.jobs.map(({ job }) => job)]), depth));
      return `${lines.join("\n")}\n`;
    },
  };
}

function depthLines(names: ReadonlySet<string>, { jobs, buildsWaiting }: QueueDepth): string[] {
  const countOf = (name: string, state: JobState) =>
    jobs.find((one) => one.job === name && one.state === state)?.count ?? 0;
  return [
    "# TYPE starform_jobs gauge",
    ...[...names].flatMap((job) =>
      states.map((state) => `starform_jobs{job="${job}",state="${state}"} ${countOf(job, state)}`),
    ),
    "# TYPE starform_builds_waiting gauge",
    `starform_builds_waiting ${buildsWaiting}`,
  ];
}
