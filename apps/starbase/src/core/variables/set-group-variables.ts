import type { Redeployed } from "@starform/contract/services";
import { authorizer } from "../access/authorize.ts";
import { redeployChanged } from "../deployments/redeploy-changed.ts";
import type { Actor } from "../identity/actor.ts";
import { refuseStale } from "../refuse-stale.ts";
import { openBook } from "./open-book.ts";
import { changedIn, valuesIn } from "./service-values.ts";
import { groupChecksum } from "./show-variables.ts";
import {
  namedGroup,
  recordChange,
  refuseReserved,
  write,
  type VariableDeps,
  type VariableWrite,
} from "./write-variables.ts";

/** Sets or drops entries of a named group, in every environment that uses it; what gets other values is re-deployed. */
export const setGroupVariables =
  (deps: VariableDeps) =>
  async (
    actor: Actor,
    ref: { project: string; group: string },
    { changes, madeOver }: VariableWrite,
  ): Promise<{ id: string; redeployed: Redeployed[] }> => {
    const { project } = await deps.authorize.project(actor, ref.project, "variables.write");
    refuseReserved(changes);
    return deps.transact(async (uow) => {
      await uow.projects.hold(project.id);
      const group = await namedGroup(uow, project, ref.group);
      refuseStale(madeOver, groupChecksum(group), `the var group ${group.name}`);
      const environments = await uow.environments.ofProject(project.id);
      const before = await valuesIn(uow, deps.book, { project, environments, strict: false });
      const book = await openBook(uow, deps.book, project, environments[0]!);
      await write(uow, deps, { group, book, changes, where: group.name ?? "" });
      const after = await valuesIn(uow, deps.book, { project, environments, strict: true });
      // What is protected is changed only by who may change that environment, attached or by reference.
      for (const { environment } of changedIn(before, after, (values) => values.whole))
        if (environment.isProtected)
          await authorizer(uow).environment(actor, project.id, environment.name, "variables.write");
      await recordChange(uow, deps.clock, actor, project, `var group ${group.name}`, changes);
      const redeployed = await redeployChanged(uow, deps, { actor, project, before, after });
      await uow.projects.touch(project.id);
      return { id: group.id, redeployed };
    });
  };
