import { lastLineMax, lastLinesMax } from "@starform/contract/clusters";
import { storableText } from "@starform/std/storable";

/** As many of an app's last lines, and as much of each, as is told with the reason of its end. */
export const lastLinesOf = (lines: readonly string[]): string[] =>
  lines
    .map((line) => storableText(line).trimEnd().slice(0, lastLineMax).toWellFormed())
    .filter((line) => line !== "")
    .slice(-lastLinesMax);
