"use client";
import type { LogEntry } from "@starform/contract/logs";
import { useState } from "react";
import { cx } from "../../ui/class-names.ts";
import { sayExactly } from "../../ui/format.ts";

const bars: Record<LogEntry["level"], string> = {
  debug: "border-line",
  info: "border-transparent",
  warn: "border-warn",
  error: "border-bad",
};
const inks: Record<LogEntry["level"], string> = {
  debug: "text-ink-faint",
  info: "",
  warn: "text-warn",
  error: "text-bad",
};

/** A line by time, level and stream; a click tells all that is known of it. */
export function LogLine({ line }: { line: LogEntry }) {
  const [isOpen, setOpen] = useState(false);
  const at = new Date(line.ts);
  const time = at.toLocaleTimeString("en-GB");
  return (
    <div className={cx("border-l-2 pr-3 pl-2.5 hover:bg-raised", bars[line.level], isOpen && "bg-raised")}>
      <div className="flex gap-2.5">
        <button
          type="button"
          tabIndex={-1}
          aria-expanded={isOpen}
          title={sayExactly(line.ts)}
          onClick={() => setOpen(!isOpen)}
          className="shrink-0 cursor-pointer self-start text-ink-faint tabular-nums hover:text-ink"
        >
          {time}
          <span className="hidden sm:inline">.{String(at.getMilliseconds()).padStart(3, "0")}</span>
        </button>
        <span className="hidden w-11 shrink-0 text-ink-faint sm:inline">{line.stream}</span>
        {(line.level === "error" || line.level === "warn") && <span className="sr-only">{line.level}: </span>}
        <span className={cx("min-w-0 whitespace-pre-wrap [overflow-wrap:anywhere]", inks[line.level])}>
          {line.message || " "}
        </span>
      </div>
      {isOpen && (
        <dl className="my-1 grid grid-cols-[8.5rem_minmax(0,1fr)] gap-x-2 text-ink-soft">
          {Object.entries(factsOf(line)).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-ink-faint">{name}</dt>
              <dd className="[overflow-wrap:anywhere]">{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function factsOf({
  ts,
  level,
  stream,
  instance,
  deploymentId,
  attributes,
}: LogEntry): Record<string, string> {
  const facts: Record<string, string> = { time: ts, level, stream };
  if (instance) facts["instance"] = instance;
  if (deploymentId) facts["deployment"] = deploymentId;
  for (const [name, value] of Object.entries(attributes ?? {}))
    facts[name] = typeof value === "string" ? value : JSON.stringify(value);
  return facts;
}
