import { cacheHits, type BuildReport } from "@starform/contract/builds";
import { sayDuration } from "@starform/std/duration";
import { sayBytes } from "../output/say-time.ts";
import { table } from "../output/table.ts";

/** What was measured of a build, in lines; what is not known is not mentioned. */
export function sayReport(report: BuildReport): string[] {
  const { steps, layers, sentBytes, peakMemoryBytes, imageBytes } = report;
  const { cached, of } = cacheHits(report);
  const facts = [
    ...(of > 0 ? [`${cached} of ${of} steps from the cache`] : []),
    ...(sentBytes === undefined ? [] : [`${sayBytes(sentBytes)} sent`]),
    ...(peakMemoryBytes === undefined ? [] : [`${sayBytes(peakMemoryBytes)} of memory at most`]),
    ...(imageBytes === undefined ? [] : [`image ${sayBytes(imageBytes)}`]),
  ];
  return [
    ...(facts.length > 0 ? ["", facts.join(", ")] : []),
    ...(steps.length > 0
      ? [
          "",
          table(
            ["STEP", "OUTCOME", "TOOK"],
            steps.map(({ name, outcome, durationMs }) => [
              name.slice(0, 80),
              outcome,
              durationMs === undefined ? "-" : sayDuration(durationMs),
            ]),
          ),
        ]
      : []),
    ...(layers && layers.length > 0
      ? [
          "",
          table(
            ["LAYER", "SIZE", "MADE BY"],
            layers.map(({ sizeBytes, createdBy }, at) => [
              `${at + 1}`,
              sayBytes(sizeBytes),
              createdBy?.slice(0, 80) ?? "",
            ]),
          ),
        ]
      : []),
  ];
}
