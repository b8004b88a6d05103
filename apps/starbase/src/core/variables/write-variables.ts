import { variablesMax } from "@starform/contract/variables";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { notFound, type Authorize } from "../access/authorize.ts";
import type { Environment, Project } from "../access/ports.ts";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import type { MadeOver } from "../refuse-stale.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import { toIds, type VariableBook } from "./book.ts";
import type { BookDeps } from "./open-book.ts";
import type { StoredGroup } from "./ports.ts";

export type VariableChanges = Readonly<
  Record<string, string | null | { readonly value: string; readonly isSecret: boolean }>
>;

/** What is to be set (or with `null` deleted), and over what. */
export type VariableWrite = { readonly changes: VariableChanges; readonly madeOver?: MadeOver };

export type VariableDeps = {
  transact: Transact;
  authorize: Authorize;
  clock: Clock;
  book: BookDeps;
};

export async function namedGroup(
  { variables }: UnitOfWork,
  project: Project,
  ref: string,
): Promise<StoredGroup> {
  const group = (await variables.groups(project.id)).find(
    (g) => g.name !== null && (g.name === ref || g.id === ref),
  );
  return group ?? notFound("var group", ref);
}

export async function ownGroup(
  { variables }: UnitOfWork,
  { clock }: Pick<VariableDeps, "clock">,
  project: Project,
  environment: Environment,
  serviceId: string,
): Promise<StoredGroup> {
  const find = async () =>
    (await variables.groups(project.id)).find(
      (g) => g.serviceId === serviceId && g.environmentId === environment.id,
    );
  const found = await find();
  if (found) return found;
  await variables.insertGroup({
    id: uuid(clock.now().getTime()),
    projectId: project.id,
    name: null,
    serviceId,
    environmentId: environment.id,
    createdAt: clock.now(),
  });
  return (await find())!;
}

export async function write(
  uow: UnitOfWork,
  { book: { box }, clock }: Pick<VariableDeps, "book" | "clock">,
  {
    group,
    book,
    changes,
    where,
  }: { group: StoredGroup; book: VariableBook; changes: VariableChanges; where: string },
): Promise<void> {
  refuseTooMany(group, changes, where);
  await uow.variables.drop(
    group.id,
    Object.keys(changes).filter((name) => changes[name] === null),
  );
  for (const [name, change] of Object.entries(changes)) {
    if (change === null) continue;
    const value = typeof change === "string" ? change : change.value;
    const isSecret =
      typeof change === "string"
        ? (group.entries.find((e) => e.name === name)?.isSecret ?? false)
        : change.isSecret;
    const template = toIds(book, value, `${where}.${name}`);
    await uow.variables.put(group.id, {
      name,
      isSecret,
      sealed: box.seal(template),
      digest: box.digest(template),
      updatedAt: clock.now(),
    });
  }
}

function refuseTooMany({ entries }: StoredGroup, changes: VariableChanges, where: string): void {
  const names = new Set(entries.map(({ name }) => name));
  for (const [name, change] of Object.entries(changes))
    if (change === null) names.delete(name);
    else names.add(name);
  // What holds more already can still be changed, and made less.
  if (names.size <= Math.max(variablesMax, entries.length)) return;
  throw new Fault(
    "invalid",
    `${where} would hold ${names.size} variables, and may hold ${variablesMax}: delete some, or put them into a var group of their own`,
  );
}

export function refuseReserved(changes: VariableChanges): void {
  const reserved = Object.keys(changes).find(
    (name) => name.startsWith("STARFORM_") && changes[name] !== null,
  );
  if (reserved)
    throw new Fault(
      "invalid",
      `${reserved} is told by the platform: names that begin with STARFORM_ cannot be set`,
    );
}

export const recordChange = (
  { audit }: UnitOfWork,
  clock: Clock,
  actor: Actor,
  project: Project,
  subject: string,
  changes: VariableChanges,
) =>
  record(audit, clock, {
    workspaceId: project.workspaceId,
    projectId: project.id,
    event: "variables.changed",
    actor: actor.email,
    subject,
    detail: { names: Object.keys(changes) },
  });
