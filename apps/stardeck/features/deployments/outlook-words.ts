import type { BuildEstimate, InLine } from "@starform/contract/builds";
import { sayAbout } from "@starform/std/duration";

/** Where it stands in line, and why. */
export function sayInLine(inLine: InLine | null): string | undefined {
  if (!inLine) return undefined;
  const { position, of, waitsFor, atOnceMax } = inLine;
  if (waitsFor === "quiet") return "Begins in some seconds, unless another push replaces it";
  if (waitsFor === "service") return "Begins after the build of this service that runs";
  const place = position === 1 ? "Next in line for a builder" : `${position} of ${of} in line for a builder`;
  return waitsFor === "workspace"
    ? `${place}: the workspace runs ${atOnceMax === 1 ? "one build" : `${atOnceMax} builds`} at once`
    : place;
}

/** What the build usually takes, and who says so. */
export const sayEstimate = (estimate: BuildEstimate | null): string | undefined =>
  estimate
    ? `${estimate.basis === "service" ? "Usually built" : "Other services here are usually built"} in ${sayAbout(estimate.durationMs)}`
    : undefined;
