import { digestOf } from "@starform/std/canonical-json";
import { isFault } from "@starform/std/fault";
import type { Environment, Project } from "../access/ports.ts";
import { snapshotDigests, type VariableSnapshot } from "../deployments/snapshot.ts";
import type { UnitOfWork } from "../stores.ts";
import { resolveService, type VariableBook } from "./book.ts";
import { openBook, type BookDeps } from "./open-book.ts";

/** What a service gets in one environment, with every reference resolved. */
export type ServiceValues = {
  readonly environment: Environment;
  readonly serviceId: string;
  readonly snapshot: VariableSnapshot;
  /** Name to digest of the value that wins. */
  readonly digests: Readonly<Record<string, string>>;
  /** Of all of it: which group gives what, and what is secret, too. */
  readonly whole: string;
};
/** By environment and service. One whose references cannot be resolved is left out. */
export type Values = ReadonlyMap<string, ServiceValues>;

/**
 * All that the services of some environments get, to tell afterwards what a change did to them. With `strict`, a
 * reference that cannot be resolved is a Fault that shows the way to it: nothing may be kept then.
 */
export async function valuesIn(
  uow: UnitOfWork,
  deps: BookDeps,
  {
    project,
    environments,
    strict,
  }: { project: Project; environments: readonly Environment[]; strict: boolean },
): Promise<Values> {
  const values = new Map<string, ServiceValues>();
  for (const environment of environments) {
    const book = await openBook(uow, deps, project, environment);
    for (const { id, injected } of book.services) {
      const groups = resolved(book, id, strict);
      if (!groups) continue;
      const snapshot = { injected, groups };
      values.set(`${environment.id}/${id}`, {
        environment,
        serviceId: id,
        snapshot,
        digests: snapshotDigests(deps.box, snapshot),
        whole: digestOf(groups),
      });
    }
  }
  return values;
}

function resolved(book: VariableBook, serviceId: string, strict: boolean) {
  try {
    return resolveService(book, serviceId);
  } catch (error) {
    if (strict || !isFault(error)) throw error;
    return undefined;
  }
}

/** What of `after` is otherwise than it was, by what `of` sees of it. */
export const changedIn = (
  before: Values,
  after: Values,
  of: (values: ServiceValues) => unknown,
): ServiceValues[] =>
  [...after].flatMap(([key, values]) => {
    const earlier = before.get(key);
    return earlier && digestOf(of(earlier)) === digestOf(of(values)) ? [] : [values];
  });
