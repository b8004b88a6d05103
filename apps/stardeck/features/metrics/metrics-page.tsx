"use client";
import { getMetrics, type MetricName } from "@starform/contract/logs";
import { useState } from "react";
import type { z } from "zod";
import { useRoute } from "../../api/queries.ts";
import type { ServicePlace } from "../../paths.ts";
import { Chart } from "../../ui/chart.tsx";
import { sayValue } from "../../ui/format.ts";
import { Panel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice } from "../../ui/states.tsx";
import { Segmented } from "../../ui/tab-bar.tsx";
import { serviceInput } from "../services/service-frame.tsx";

const charts: readonly (readonly [z.infer<typeof MetricName>, string])[] = [
  ["requests", "Requests"],
  ["errors", "Errors"],
  ["latency_p50", "Latency, median"],
  ["latency_p95", "Latency, 95th percentile"],
  ["cpu", "CPU"],
  ["memory", "Memory"],
  ["throughput", "Answered"],
  ["network", "Network"],
];
const spans = [
  ["60", "1 hour"],
  ["360", "6 hours"],
  ["1440", "1 day"],
  ["10080", "7 days"],
] as const;

/** How a service is doing, as small charts. */
export function MetricsPage({ place }: { place: ServicePlace }) {
  const [minutes, setMinutes] = useState<(typeof spans)[number][0]>("60");
  const first = useRoute(getMetrics, metricInput(place, charts[0]![0], minutes));
  if (first.data && !first.data.isKept)
    return (
      <Panel>
        <Empty title="No metrics are kept here">{first.data.note}</Empty>
      </Panel>
    );
  return (
    <div className="flex flex-col gap-4">
      <div>
        <Segmented label="Time span" value={minutes} options={spans} onChange={setMinutes} />
      </div>
      <div className="grid gap-4 md:grid-cols-2">
        {charts.map(([metric, title]) => (
          <MetricChart key={metric} place={place} metric={metric} title={title} minutes={minutes} />
        ))}
      </div>
    </div>
  );
}

const metricInput = ({ ...place }: ServicePlace, metric: z.infer<typeof MetricName>, minutes: string) => {
  const { params, query } = serviceInput(place);
  return { params: { ...params, metric }, query: { ...query, minutes: Number(minutes), points: 120 } };
};

type MetricChartProps = {
  place: ServicePlace;
  metric: z.infer<typeof MetricName>;
  title: string;
  minutes: string;
};

function MetricChart({ place, metric, title, minutes }: MetricChartProps) {
  const answer = useRoute(getMetrics, metricInput(place, metric, minutes), {
    everyMs: 15_000,
    keepsPrevious: true,
  });
  const points = (answer.data?.points ?? []).map(({ ts, value }) => ({ at: Date.parse(ts), value }));
  const say = (value: number) => sayValue(value, answer.data?.unit ?? "");
  const to = Math.max(answer.dataUpdatedAt, points.at(-1)?.at ?? 0);
  const latest = points.at(-1);
  return (
    <Panel className="p-4">
      <div className="mb-3 flex items-baseline justify-between gap-3">
        <h2 className="truncate text-[13px] font-semibold">{title}</h2>
        <span className="text-[13px] whitespace-nowrap tabular-nums">
          {latest ? (
            <>
              <span className="mr-3 hidden text-xs text-ink-faint sm:inline">
                max {say(Math.max(...points.map(({ value }) => value)))}
              </span>
              {say(latest.value)}
            </>
          ) : answer.data ? (
            <span className="text-ink-faint">no data yet</span>
          ) : (
            " "
          )}
        </span>
      </div>
      {answer.error ? (
        <ErrorNotice error={answer.error} onRetry={() => void answer.refetch()} />
      ) : (
        <Chart points={points} from={to - Number(minutes) * 60_000} to={to} label={title} say={say} />
      )}
    </Panel>
  );
}
