import type { Actor } from "../identity/actor.ts";
import { checkReferences, valuesIn } from "./check-references.ts";
import { openBook } from "./open-book.ts";
import type { StoredGroup } from "./ports.ts";
import {
  namedGroup,
  oneAtATime,
  recordChange,
  refuseReserved,
  write,
  type VariableChanges,
  type VariableDeps,
} from "./write-variables.ts";

/** Sets or drops entries of a named group, in every environment that uses it. */
export const setGroupVariables =
  (deps: VariableDeps) =>
  async (
    actor: Actor,
    projectRef: string,
    groupRef: string,
    changes: VariableChanges,
  ): Promise<StoredGroup> => {
    const { project } = await deps.authorize.project(actor, projectRef, "variables.write");
    refuseReserved(changes);
    const { group, environments } = await deps.transact(async (uow) => {
      await oneAtATime(uow, project);
      const found = await namedGroup(uow, project, groupRef);
      const all = await uow.environments.ofProject(project.id);
      const guarded = all.filter((environment) => environment.isProtected);
      const before: string[] = [];
      for (const environment of guarded) before.push(await valuesIn(uow, deps.book, project, environment));
      const book = await openBook(uow, deps.book, project, all[0]!);
      await write(uow, deps, { group: found, book, changes, where: found.name ?? "" });
      await checkReferences(uow, deps.book, project, all);
      for (const [at, environment] of guarded.entries())
        if ((await valuesIn(uow, deps.book, project, environment)) !== before[at])
          await deps.authorize.environment(actor, project.id, environment.name, "variables.write");
      await recordChange(uow, deps.clock, actor, project, `var group ${found.name}`, changes);
      return {
        group: (await uow.variables.groups(project.id)).find((g) => g.id === found.id)!,
        environments: all,
      };
    });
    await deps.redeployChanged(actor, project, environments);
    return group;
  };
