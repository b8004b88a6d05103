import type { PlanInfo, ServiceProposal } from "./plan-info.ts";
import { nothingFoundMessage } from "./choose-provider.ts";
import { notesOf, type PlanError, type PlanOptions, type PlanOutcome, planRoot } from "./plan-root.ts";
import { servicesBeside } from "./propose-services.ts";
import { beginReading, nobody, type OnRead } from "./source-tree.ts";

export type { PlanError, PlanOptions, PlanOutcome } from "./plan-root.ts";
export type { Decision, PlanInfo, ServiceProposal, ToolVersion } from "./plan-info.ts";

/**
 * Compiles a source tree to a build plan. Reads the tree and nothing else: no network, no clock, no environment; the
 * same tree and options give the same outcome. What cannot be planned is a value, not an exception.
 *
 * A source planned from its root also gets `info.services` when it seems to hold several services. `onRead` is told of
 * each file before it is looked into.
 */
export async function planSource(
  dir: string,
  options: PlanOptions = {},
  onRead: OnRead = nobody,
): Promise<PlanOutcome> {
  const reading = beginReading(onRead);
  const planned = await planRoot(dir, options, reading);
  const { outcome } = planned;
  const isFromRoot = outcome.ok
    ? outcome.info.rootDirectory === "."
    : outcome.error.message === nothingFoundMessage && !options.rootDirectory;
  const { services, notes } = isFromRoot
    ? await servicesBeside(dir, planned, reading)
    : { services: [], notes: [] };
  if (outcome.ok) return services.length > 1 ? withServices(outcome, services, notes) : outcome;
  return services.length > 0 ? { ok: false, error: inFolders(outcome.error, services) } : outcome;
}

const startIn = (service: ServiceProposal | undefined): string =>
  service?.plannedStart === undefined ? "" : `, where it starts with \`${service.plannedStart}\``;

type Planned = Extract<PlanOutcome, { ok: true }>;

function withServices(outcome: Planned, services: ServiceProposal[], notes: readonly string[]): Planned {
  const { decisions } = outcome.info;
  const more = notesOf({ notes }).filter(({ about }) => !decisions.some((told) => told.about === about));
  return { ...outcome, info: { ...outcome.info, decisions: [...decisions, ...more], services } };
}

function inFolders({ lookedFor, hint }: PlanError, services: NonNullable<PlanInfo["services"]>): PlanError {
  const folders = [...new Set(services.map(({ rootDirectory }) => rootDirectory))];
  const one = folders.length === 1;
  return {
    message: `no app was found at the root of the source, but ${one ? "there is one" : "there are some"} in ${folders.join(", ")}`,
    lookedFor,
    hint: one
      ? [
          `Set the service's root directory to ${folders[0]}${startIn(services[0])}.`,
          // Python's packages are imported by the names of their folders, which only the root above them has.
          ...(services[0]?.provider === "python" ? [hint] : []),
        ].join(" ")
      : `Create one service for each and set its root directory to ${folders.slice(0, -1).join(", ")} or ${folders.at(-1)}.`,
  };
}
