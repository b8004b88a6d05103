"use client";
import { useId, useState, type PointerEvent } from "react";

export type ChartPoint = { readonly at: number; readonly value: number };
type ChartProps = {
  points: readonly ChartPoint[];
  from: number;
  to: number;
  label: string;
  say(value: number): string;
};

const width = 400;
const height = 96;

/** A small line over time. Where nothing was measured for a while the line has a gap. */
export function Chart({ points, from, to, label, say }: ChartProps) {
  const [at, setAt] = useState<number>();
  const fill = useId();
  const top = Math.max(...points.map(({ value }) => value), 0) * 1.1 || 1;
  const x = (time: number) => ((time - from) / Math.max(1, to - from)) * width;
  const y = (value: number) => height - (value / top) * height;
  const runs = runsOf(points);
  const near = at === undefined ? undefined : nearest(points, from + at * (to - from));
  const onMove = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt((event.clientX - box.left) / box.width);
  };
  const latest = points.at(-1);
  return (
    <figure className="relative m-0" onPointerMove={onMove} onPointerLeave={() => setAt(undefined)}>
      <svg
        role="img"
        aria-label={`${label}: ${latest ? `now ${say(latest.value)}, at most ${say(Math.max(...points.map(({ value }) => value)))}` : "no measurements"}`}
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        className="block h-24 w-full overflow-visible text-accent"
      >
        <defs>
          <linearGradient id={fill} x1="0" x2="0" y1="0" y2="1">
            <stop offset="0" stopColor="currentColor" stopOpacity="0.22" />
            <stop offset="1" stopColor="currentColor" stopOpacity="0.02" />
          </linearGradient>
        </defs>
        {[0, 0.5, 1].map((part) => (
          <line
            key={part}
            x1="0"
            x2={width}
            y1={height * part}
            y2={height * part}
            className="stroke-line"
            vectorEffect="non-scaling-stroke"
          />
        ))}
        {runs.map((run) => {
          const line = run.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
          return (
            <g key={run[0]!.at}>
              <polygon
                points={`${x(run[0]!.at)},${height} ${line} ${x(run.at(-1)!.at)},${height}`}
                fill={`url(#${fill})`}
              />
              <polyline
                points={line}
                fill="none"
                stroke="currentColor"
                strokeWidth="1.5"
                strokeLinejoin="round"
                vectorEffect="non-scaling-stroke"
              />
            </g>
          );
        })}
        {near && (
          <line
            x1={x(near.at)}
            x2={x(near.at)}
            y1="0"
            y2={height}
            stroke="currentColor"
            strokeDasharray="2 2"
            vectorEffect="non-scaling-stroke"
          />
        )}
      </svg>
      <figcaption className="mt-1 flex justify-between text-[11px] text-ink-faint tabular-nums">
        <span>{clock(near ? near.at : from, to - from)}</span>
        <span className="text-ink">{near ? say(near.value) : ""}</span>
        <span>{near ? "" : clock(to, to - from)}</span>
      </figcaption>
    </figure>
  );
}

/** The points in stretches without a hole: a hole is a step four times as long as usual. */
function runsOf(points: readonly ChartPoint[]): ChartPoint[][] {
  const steps = points.slice(1).map(({ at }, n) => at - points[n]!.at);
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  const runs: ChartPoint[][] = [];
  points.forEach((point, n) => {
    if (n > 0 && point.at - points[n - 1]!.at <= usual * 4) runs.at(-1)!.push(point);
    else runs.push([point]);
  });
  return runs;
}

const nearest = (points: readonly ChartPoint[], time: number): ChartPoint | undefined =>
  points.reduce<ChartPoint | undefined>(
    (best, point) => (best && Math.abs(best.at - time) <= Math.abs(point.at - time) ? best : point),
    undefined,
  );

const clock = (time: number, spanMs: number): string =>
  new Date(time).toLocaleString(
    "en-GB",
    spanMs > 86_400_000
      ? { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }
      : { hour: "2-digit", minute: "2-digit" },
  );
