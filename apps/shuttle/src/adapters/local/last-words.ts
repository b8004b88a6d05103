import { levelOf } from "@starform/log-shipper/line-splitter";
import { lastLinesOf } from "../../core/last-lines.ts";

export type LastWords = {
  add(stream: "stdout" | "stderr", line: string): void;
  /** The line that tells most about an end that came now; undefined if nothing was said. */
  line(): string | undefined;
  /** The end of all that was said, the newest last. */
  lines(): readonly string[];
};

const keptMax = 30;
/** What npm and Node say around an app's own words. */
const noise = /^(?:npm (?:warn|error|notice|ERR!|WARN)|Node\.js v\d)/;

/** How package managers announce what they run, before an app's first word. */
const announcement = /^> /;

/** Keeps the last lines of an app, from which the reason of its end quotes one: an error before the rest. */
export function lastWords(): LastWords {
  const kept: { stream: "stdout" | "stderr"; line: string; level: string }[] = [];
  return {
    add(stream, line) {
      if (line.trim() === "") return;
      kept.push({ stream, line, level: levelOf(line) });
      if (kept.length > keptMax) kept.shift();
    },
    line() {
      const own = kept.filter(({ line }) => !noise.test(line));
      const chosen =
        own.findLast(({ level }) => level === "error") ??
        own.findLast(({ stream, level }) => stream === "stderr" && level !== "warn") ??
        own.at(-1) ??
        kept.at(-1);
      return chosen?.line;
    },
    lines() {
      const own = kept.findIndex(({ line }) => !announcement.test(line));
      return own === -1 ? [] : lastLinesOf(kept.slice(own).map(({ line }) => line));
    },
  };
}
