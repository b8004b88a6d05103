import type { BuildEstimate, InLine } from "@starform/contract/builds";
import { sayAbout } from "@starform/std/duration";

/** Where it stands in line, why, and how long yet. */
export function sayInLine(inLine: InLine | null): string | undefined {
  if (!inLine) return undefined;
  const { position, of, waitsFor, atOnceMax, beginsInMs } = inLine;
  if (waitsFor === "quiet") return "Begins in some seconds, unless another push replaces it";
  const begins = beginsInMs !== null && beginsInMs >= 1_000 ? `begins in ${sayAbout(beginsInMs)}` : undefined;
  if (waitsFor === "service")
    return begins
      ? `After the build of this service that runs, ${begins}`
      : "Begins after the build of this service that runs";
  const place = position === 1 ? "Next in line for a builder" : `${position} of ${of} in line for a builder`;
  const sentence = begins ? `${place}, ${begins}` : place;
  return waitsFor === "workspace"
    ? `${sentence}: the workspace runs ${atOnceMax === 1 ? "one build" : `${atOnceMax} builds`} at once`
    : sentence;
}

/** What the build usually takes, and who says so. */
export const sayEstimate = (estimate: BuildEstimate | null): string | undefined =>
  estimate
    ? `${estimate.basis === "service" ? "Usually built" : "Other services here are usually built"} in ${sayAbout(estimate.durationMs)}`
    : undefined;
