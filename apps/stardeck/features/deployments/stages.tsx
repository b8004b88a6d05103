import type { Deployment } from "@starform/contract/deployments";
import { cx } from "../../ui/class-names.ts";
import { Took } from "../../ui/time.tsx";

type Stages = Deployment["stages"];
type Outcome = Stages[number]["outcome"];
const words = { clone: "Get the source", build: "Build", push: "Store the image", deploy: "Deploy" };
const outcomes: Record<Outcome, { word: string; ink: string; fill: string }> = {
  waiting: { word: "waiting", ink: "text-ink-faint", fill: "bg-line" },
  running: { word: "running", ink: "text-accent", fill: "bg-accent motion-safe:animate-pulse" },
  succeeded: { word: "done", ink: "text-good", fill: "bg-good" },
  failed: { word: "failed", ink: "text-bad", fill: "bg-bad" },
  skipped: { word: "skipped", ink: "text-ink-faint", fill: "bg-line" },
};

/** The stages as four short strokes, for a row of a list. */
export function StageBar({ stages }: { stages: Stages }) {
  const said = stages.map(({ name, outcome }) => `${words[name]}: ${outcomes[outcome].word}`).join(", ");
  return (
    <span role="img" aria-label={said} title={said} className="flex w-20 gap-0.5">
      {stages.map(({ name, outcome }) => (
        <span key={name} className={cx("h-1 flex-1 rounded-full", outcomes[outcome].fill)} />
      ))}
    </span>
  );
}

/** The stages one after another with what each took. */
export function StageList({ stages }: { stages: Stages }) {
  return (
    <ol className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line md:grid-cols-4">
      {stages.map(({ name, outcome, startedAt, endedAt }) => (
        <li key={name} className="flex flex-col gap-1 bg-surface px-4 py-3">
          <span className={cx("h-1 rounded-full", outcomes[outcome].fill)} />
          <span className="mt-1 text-[13px] font-medium">{words[name]}</span>
          <span className="flex justify-between gap-2 text-xs">
            <span className={outcomes[outcome].ink}>{outcomes[outcome].word}</span>
            <span className="text-ink-soft">
              {startedAt && outcome !== "skipped" && <Took from={startedAt} to={endedAt} />}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}
