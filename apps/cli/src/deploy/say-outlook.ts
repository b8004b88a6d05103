import type { Deployment } from "@starform/contract/deployments";
import { sayAbout } from "@starform/std/duration";

/** Where a deployment stands in line for a builder, why it waits and how long yet; undefined when it does not. */
export function sayInLine({ inLine }: Pick<Deployment, "inLine">): string | undefined {
  if (!inLine) return undefined;
  const { position, of, waitsFor, atOnceMax } = inLine;
  const place = of === 1 ? "next in line" : `${position} of ${of} in line`;
  if (waitsFor === "quiet") return `${place}; begins in some seconds, unless another push replaces it`;
  const why = {
    turn: undefined,
    workspace: `the workspace runs ${atOnceMax === 1 ? "one build" : `${atOnceMax} builds`} at once`,
    service: "after the build of this service that runs",
  }[waitsFor];
  return [place, why, sayBegins(inLine)].filter(Boolean).join("; ");
}

/** Undefined where it cannot be told, or it is so soon that nobody needs to be told. */
const sayBegins = ({ beginsInMs }: NonNullable<Deployment["inLine"]>): string | undefined =>
  beginsInMs !== null && beginsInMs >= 1_000 ? `begins in ${sayAbout(beginsInMs)}` : undefined;

/** What the build usually takes; undefined where no build tells. */
export const sayEstimate = ({ estimate }: Pick<Deployment, "estimate">): string | undefined =>
  estimate
    ? `${estimate.basis === "service" ? "usually built" : "others here are usually built"} in ${sayAbout(estimate.durationMs)}`
    : undefined;

export const sayOutlook = (deployment: Pick<Deployment, "inLine" | "estimate">): string =>
  [sayInLine(deployment), sayEstimate(deployment)].filter(Boolean).join("; ");
