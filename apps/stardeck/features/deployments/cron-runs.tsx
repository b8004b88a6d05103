"use client";
import type { CronOutcome } from "@starform/contract/names";
import { listCronRuns } from "@starform/contract/services";
import { useRoute } from "../../api/queries.ts";
import type { ServicePlace } from "../../paths.ts";
import { TitledPanel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { Status, type Tone } from "../../ui/status.tsx";
import { Took, When } from "../../ui/time.tsx";
import { serviceInput } from "../services/service-frame.tsx";

const words = {
  running: { tone: "busy", word: "Running" },
  succeeded: { tone: "good", word: "Succeeded" },
  failed: { tone: "bad", word: "Failed" },
  skipped: { tone: "still", word: "Skipped" },
  unknown: { tone: "warn", word: "Not known" },
} as const satisfies Record<CronOutcome, { tone: Tone; word: string }>;

/** When a cron service ran, and how it ended. */
export function CronRuns({ place }: { place: ServicePlace }) {
  const runs = useRoute(listCronRuns, serviceInput(place), { everyMs: 15_000 });
  return (
    <TitledPanel title="Runs" isFlush>
      <ErrorNotice error={runs.error} className="m-4" />
      {runs.isPending && <Skeleton rows={3} />}
      {runs.data?.items.length === 0 && (
        <Empty title="It has not run yet">The next run comes when its schedule says so.</Empty>
      )}
      <ul className="max-h-80 divide-y divide-line overflow-y-auto">
        {runs.data?.items.map(({ id, scheduledFor, startedAt, endedAt, outcome, reason }) => (
          <li key={id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2 text-xs">
            <span className="w-24">
              <Status {...words[outcome]} />
            </span>
            <span className="text-ink-soft">
              <When at={scheduledFor} />
            </span>
            {startedAt && (endedAt || outcome === "running") && <Took from={startedAt} to={endedAt} />}
            {reason && <span className="min-w-0 break-words text-ink-soft">{reason}</span>}
          </li>
        ))}
      </ul>
    </TitledPanel>
  );
}
