"use client";
import { useEffect, useState } from "react";
import type { ServicePlace } from "../../paths.ts";
import { inputClass } from "../../ui/field.tsx";
import { LogView } from "./log-view.tsx";
import type { LogScope } from "./use-log-lines.ts";

const levels = [
  ["", "All levels"],
  ["info,warn,error", "Info and above"],
  ["warn,error", "Warnings and errors"],
  ["error", "Errors only"],
] as const;
const streams = [
  ["", "All streams"],
  ["stdout,stderr", "The app"],
  ["http", "HTTP requests"],
  ["build", "Builds"],
  ["system", "Platform"],
] as const;

/** Everything a service says, as it says it. */
export function LogsPage({ place }: { place: ServicePlace }) {
  const [typed, setTyped] = useState("");
  const [scope, setScope] = useState<LogScope>({});
  useEffect(() => {
    const timer = setTimeout(
      () => setScope(({ filter: _, ...rest }) => (typed.trim() ? { ...rest, filter: typed.trim() } : rest)),
      300,
    );
    return () => clearTimeout(timer);
  }, [typed]);
  const choose = (name: "level" | "stream") => (value: string) =>
    setScope(({ [name]: _, ...rest }) => (value ? { ...rest, [name]: value } : rest));
  const isNarrowed = Object.keys(scope).length > 0;
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 gap-2 sm:grid-cols-[minmax(0,1fr)_11rem_11rem]">
        <input
          type="search"
          aria-label="Filter lines by text"
          placeholder="Filter by text"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          className={`${inputClass} col-span-2 sm:col-span-1`}
        />
        <Choice label="Level" value={scope.level ?? ""} options={levels} onChange={choose("level")} />
        <Choice label="Stream" value={scope.stream ?? ""} options={streams} onChange={choose("stream")} />
      </div>
      <LogView
        place={place}
        scope={scope}
        isLive
        heightClassName="h-[max(20rem,calc(100dvh-20rem))]"
        emptyWords={
          isNarrowed
            ? "No line fits the filter. New ones that do appear here."
            : "Nothing has been written yet. Lines appear here as they are written."
        }
      />
    </div>
  );
}

type ChoiceProps = {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange(value: string): void;
};
const Choice = ({ label, value, options, onChange }: ChoiceProps) => (
  <select
    aria-label={label}
    value={value}
    onChange={(event) => onChange(event.target.value)}
    className={inputClass}
  >
    {options.map(([option, word]) => (
      <option key={option} value={option}>
        {word}
      </option>
    ))}
  </select>
);
