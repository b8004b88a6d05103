import { ServiceName } from "@starform/contract/names";
import type { Proposal, ProposedService } from "@starform/contract/proposals";

/** A proposed service as the person has it on the screen. */
export type DraftService = {
  readonly proposed: ProposedService;
  readonly isChosen: boolean;
  readonly name: string;
  /** Of a cron. */
  readonly schedule: string;
};

/** What is proposed, as it comes: all of it, but for names that the project has already. */
export const draftsOf = (
  { services }: Pick<Proposal, "services">,
  taken: ReadonlySet<string>,
): DraftService[] =>
  services.map((proposed) => ({
    proposed,
    isChosen: !taken.has(proposed.name),
    name: proposed.name,
    schedule: proposed.settings.schedule ?? "",
  }));

/** What keeps a chosen one from being made; undefined where nothing does, and of one that is not chosen. */
export function problemOf(
  draft: DraftService,
  drafts: readonly DraftService[],
  taken: ReadonlySet<string>,
): { readonly in: "name" | "schedule"; readonly words: string } | undefined {
  if (!draft.isChosen) return undefined;
  const wrong = ServiceName.safeParse(draft.name).error?.issues[0]?.message;
  if (wrong) return { in: "name", words: wrong };
  if (taken.has(draft.name))
    return { in: "name", words: "The project has a service of this name: choose another, or leave it out" };
  if (drafts.some((other) => other !== draft && other.isChosen && other.name === draft.name))
    return { in: "name", words: "Another one on this list has the same name" };
  if (draft.proposed.type === "cron" && !draft.schedule.trim())
    return { in: "schedule", words: "A cron needs a schedule" };
  return undefined;
}

/** What is made of a chosen one. */
export const serviceOf = (
  { proposed, name, schedule }: DraftService,
  { id, source }: Pick<Proposal, "id" | "source">,
) => ({
  name,
  type: proposed.type,
  source,
  settings: { ...proposed.settings, ...(proposed.type === "cron" ? { schedule: schedule.trim() } : {}) },
  variables: proposed.variables,
  proposal: id,
});
