import type { Variable } from "@starform/contract/variables";
import type { Clock } from "@starform/std/clock";
import { digestOf } from "@starform/std/canonical-json";
import { notFound, type Authorize } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import type { Stores, Transact } from "../stores.ts";
import { groupsOf, mergedVariables, resolveService, toNames, type VariableBook } from "./book.ts";
import { openBook, type BookDeps } from "./open-book.ts";
import type { StoredGroup, StoredVariable } from "./ports.ts";

/** What a service gets, each name once with where it comes from; no secret's value is in it. */
export const listServiceVariables =
  ({ stores, authorize, book: bookDeps }: { stores: Stores; authorize: Authorize; book: BookDeps }) =>
  async (
    actor: Actor,
    ref: { project: string; service: string; environment: string },
  ): Promise<{ items: Variable[]; checksum: string }> => {
    const { project, environment } = await authorize.environment(
      actor,
      ref.project,
      ref.environment,
      "project.read",
    );
    const place =
      (await stores.services.placed(project.id, environment.id, ref.service)) ??
      notFound("service", ref.service);
    const book = await openBook(stores, bookDeps, project, environment);
    return { items: shownVariables(book, place.id), checksum: checksumOf(book, place.id) };
  };

export function shownVariables(book: VariableBook, serviceId: string): Variable[] {
  const resolved = mergedVariables(resolveService(book, serviceId));
  const shown = new Map<string, Variable>();
  for (const group of groupsOf(book, serviceId))
    for (const { name, isSecret, template, digest, updatedAt } of group.entries) {
      const value = isSecret ? null : toNames(book, template);
      const final = resolved.get(name);
      shown.set(name, {
        name,
        isSecret,
        value,
        resolved: final && !final.isSecret && final.value !== value ? final.value : null,
        digest,
        group: group.name,
        updatedAt: updatedAt.toISOString(),
      });
    }
  return [...shown.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of all the entries that a service gets something from, as they are set: what a change of them is made over. */
export const checksumOf = (book: VariableBook, serviceId: string): string =>
  digestOf(groupsOf(book, serviceId).map(({ entries }) => entries.map(factsOf)));

/** Of a group's entries. */
export const groupChecksum = ({ entries }: Pick<StoredGroup, "entries">): string =>
  digestOf(entries.map(factsOf));

const factsOf = ({ name, isSecret, digest }: Pick<StoredVariable, "name" | "isSecret" | "digest">) => [
  name,
  isSecret,
  digest,
];

/** The plain value of one variable as it is set. Always audited. */
export const revealVariable =
  ({
    stores,
    transact,
    authorize,
    clock,
    book: bookDeps,
  }: {
    stores: Stores;
    transact: Transact;
    authorize: Authorize;
    clock: Clock;
    book: BookDeps;
  }) =>
  async (
    actor: Actor,
    ref: { project: string; service: string; environment: string; name: string },
  ): Promise<{ name: string; value: string }> => {
    const { project, environment } = await authorize.environment(
      actor,
      ref.project,
      ref.environment,
      "secrets.reveal",
    );
    const place =
      (await stores.services.placed(project.id, environment.id, ref.service)) ??
      notFound("service", ref.service);
    const book = await openBook(stores, bookDeps, project, environment);
    const found = groupsOf(book, place.id)
      .toReversed()
      .flatMap((group) => group.entries)
      .find((entry) => entry.name === ref.name);
    if (!found) return notFound("variable", ref.name);
    await transact(({ audit }) =>
      record(audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "secret.revealed",
        actor: actor.email,
        subject: `${place.name}.${ref.name}`,
        detail: { environment: environment.name },
      }),
    );
    return { name: found.name, value: toNames(book, found.template) };
  };
