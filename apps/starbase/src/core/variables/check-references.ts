import { Fault, isFault } from "@starform/std/fault";
import type { Environment, Project } from "../access/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import { referrersTo, resolveService } from "./book.ts";
import { openBook, type BookDeps } from "./open-book.ts";

/** What others refer to stays, or their variables would resolve to nothing at the next deployment. */
export async function refuseReferred(
  uow: UnitOfWork,
  book: BookDeps,
  project: Project,
  { id, name }: { id: string; name: string },
): Promise<void> {
  for (const environment of await uow.environments.ofProject(project.id)) {
    const [first] = referrersTo(await openBook(uow, book, project, environment), id);
    if (first)
      throw new Fault(
        "conflict",
        `${first} (${environment.name}) refers to the ${name}: change or delete that variable first`,
      );
  }
}

/** Every reference of every service must resolve, before anything is kept. */
export async function checkReferences(
  uow: UnitOfWork,
  bookDeps: BookDeps,
  project: Project,
  environments: readonly Environment[],
): Promise<void> {
  for (const environment of environments) {
    const book = await openBook(uow, bookDeps, project, environment);
    for (const service of book.services) resolveService(book, service.id);
  }
}

/**
 * All that the services of an environment get, to see whether a change reaches it, attached or by reference: what is
 * protected is changed only by who may change that environment.
 */
export async function valuesIn(
  uow: UnitOfWork,
  bookDeps: BookDeps,
  project: Project,
  environment: Environment,
): Promise<string> {
  const book = await openBook(uow, bookDeps, project, environment);
  try {
    return JSON.stringify(book.services.map((service) => resolveService(book, service.id)));
  } catch (error) {
    if (isFault(error)) return "unresolvable";
    throw error;
  }
}
