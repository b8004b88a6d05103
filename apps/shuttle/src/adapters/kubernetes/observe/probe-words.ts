import { shorten } from "../../../core/shorten.ts";
import type { EventView } from "../view/event-view.ts";

export type ProbeKind = "Startup" | "Readiness" | "Liveness";
/** What a probe of the kubelet got; `silence` is a port on which nothing listens. */
export type ProbeAnswer = {
  readonly kind: ProbeKind;
  readonly answer: string | "silence";
  readonly count: number;
  readonly atMs: number;
};

/** Reads `<kind> probe failed: <what>` of an Unhealthy event; undefined for any other. An answer's status comes without its path. */
export function probeAnswerOf(
  { reason, message, count, atMs }: EventView,
  pathOfProbe: (kind: ProbeKind) => string | undefined,
): ProbeAnswer | undefined {
  const match = /^(Startup|Readiness|Liveness) probe (?:failed|errored)[^:]*: (.*)$/s.exec(message);
  if (reason !== "Unhealthy" || !match) return undefined;
  const [, kind, said = ""] = match as unknown as [string, ProbeKind, string];
  return { kind, answer: answerOf(said, pathOfProbe(kind)), count, atMs };
}

/** The kubelet's words in ours. It asks by the pod's address, of which a customer knows nothing. */
function answerOf(said: string, ofProbe: string | undefined): string | "silence" {
  const path = pathOf(said) ?? ofProbe;
  const status = /statuscode: (\d+)/i.exec(said)?.[1];
  if (status) return `${path ? `GET ${path}` : "the health check"} answered ${status}`;
  if (/connection refused|no route to host|network is unreachable/i.test(said)) return "silence";
  if (/deadline exceeded|timeout/i.test(said))
    return `${path ? `GET ${path}` : "the port"} was not answered in time`;
  if (/EOF|connection reset/i.test(said))
    return `${path ? `GET ${path}` : "the port"} was cut off without an answer`;
  return shorten(said);
}

function pathOf(said: string): string | undefined {
  const url = /Get "([^"]+)"/.exec(said)?.[1];
  return url && URL.canParse(url) ? new URL(url).pathname : undefined;
}
