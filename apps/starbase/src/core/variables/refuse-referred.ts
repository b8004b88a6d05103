import { Fault } from "@starform/std/fault";
import type { Project } from "../access/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import { referrersTo } from "./book.ts";
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
