import type { ProposedService } from "@starform/contract/proposals";
import { useId, type ReactNode } from "react";
import { Checkbox, inputClass } from "../../ui/field.tsx";
import { Status, Tag } from "../../ui/status.tsx";
import { sentence } from "../../ui/states.tsx";
import type { DraftService, problemOf } from "./proposal-draft.ts";

type ProposedRowProps = {
  draft: DraftService;
  problem: ReturnType<typeof problemOf>;
  /** It is there already, of an earlier click. */
  isMade: boolean;
  /** The project has one of its name, which is why it is not chosen at first. */
  isTaken: boolean;
  isLocked: boolean;
  onChange(change: Partial<DraftService>): void;
};

/** One proposed service: whether it is wanted, under which name, and how it would be built and run. */
export function ProposedRow({ draft, problem, isMade, isTaken, isLocked, onChange }: ProposedRowProps) {
  const { proposed, isChosen, name, schedule } = draft;
  const id = useId();
  const isFixed = isMade || isLocked;
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 px-4 py-3">
      <div className="flex h-8 items-center">
        <Checkbox
          label={<span className="sr-only">{`Create ${name || proposed.name}`}</span>}
          checked={isChosen}
          disabled={isFixed}
          onChange={(event) => onChange({ isChosen: event.target.checked })}
        />
      </div>
      <div className={isChosen ? "min-w-0" : "min-w-0 opacity-60"}>
        <div className="flex items-center gap-x-2">
          <input
            aria-label={`Name of ${proposed.name}`}
            aria-invalid={problem?.in === "name" || undefined}
            aria-describedby={problem ? `${id}-said` : undefined}
            value={name}
            disabled={isFixed || !isChosen}
            onChange={(event) => onChange({ name: event.target.value })}
            autoComplete="off"
            spellCheck={false}
            className={`${inputClass} max-w-56 flex-1 font-medium`}
          />
          <Tag>{proposed.type}</Tag>
          <Tag>{proposed.provider}</Tag>
          {isMade && <Status tone="good" word="Made" />}
        </div>
        {problem && (
          <p id={`${id}-said`} className="mt-1 text-xs text-bad">
            {sentence(new Error(problem.words))}
          </p>
        )}
        {isTaken && !isChosen && (
          <p className="mt-1 text-xs">The project has a service of this name, which is left as it is.</p>
        )}
        <p className="mt-1 text-xs break-words text-ink-soft">{sentence(new Error(proposed.reason))}.</p>
        <dl className="mt-2 grid grid-cols-[minmax(5rem,auto)_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-xs">
          {factsOf(proposed).map(([term, fact]) => (
            <Fact key={term} term={term}>
              {fact}
            </Fact>
          ))}
          {proposed.type === "cron" && (
            <Fact term="Schedule">
              <input
                aria-label={`Schedule of ${proposed.name}`}
                aria-invalid={problem?.in === "schedule" || undefined}
                value={schedule}
                disabled={isFixed || !isChosen}
                onChange={(event) => onChange({ schedule: event.target.value })}
                placeholder="*/15 * * * *"
                className={`${inputClass} max-w-40`}
              />
            </Fact>
          )}
        </dl>
      </div>
    </li>
  );
}

const Fact = ({ term, children }: { term: string; children: ReactNode }) => (
  <>
    <dt className="text-ink-faint">{term}</dt>
    <dd className="min-w-0 font-mono break-words">{children}</dd>
  </>
);

function factsOf({ settings, variables, plannedStart }: ProposedService): [string, ReactNode][] {
  const { rootDirectory, buildCommand, startCommand } = settings;
  const facts: [string, ReactNode][] = [["Root directory", rootDirectory || "/"]];
  if (buildCommand) facts.push(["Build command", buildCommand]);
  facts.push(["Start command", startCommand ?? plannedStart ?? ofItsImage]);
  const named = Object.entries(variables).map(([name, value]) => `${name}=${plain(value)}`);
  if (named.length > 0) facts.push(["Variables", listed(named)]);
  return facts;
}

const ofItsImage = <span className="font-sans text-ink-faint">what its build says</span>;

const plain = (value: unknown): string => (typeof value === "string" ? value : "…");

const shownMax = 4;
const listed = (all: readonly string[]): string =>
  all.length > shownMax
    ? `${all.slice(0, shownMax).join(", ")} and ${all.length - shownMax} more`
    : all.join(", ");
