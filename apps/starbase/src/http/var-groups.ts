import type { Redeployed } from "@starform/contract/services";
import * as contract from "@starform/contract/variables";
import type { FastifyInstance } from "fastify";
import { notFound, type Authorize } from "../core/access/authorize.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { Stores } from "../core/stores.ts";
import { toNames } from "../core/variables/book.ts";
import { openBook, type BookDeps } from "../core/variables/open-book.ts";
import { shortSecrets } from "../core/variables/short-secrets.ts";
import type { StoredGroup } from "../core/variables/ports.ts";
import type { VariableChanges, VariableWrite } from "../core/variables/write-variables.ts";
import { ifMatchIn, withEtag } from "./etags.ts";
import { cursorOn, paged } from "./pages.ts";
import { presentGroup } from "./present.ts";
import { serve, type ServeDeps } from "./serve.ts";

type Ref = { project: string; service: string; environment: string };
export type GroupDeps = ServeDeps & {
  stores: Stores;
  authorize: Authorize;
  book: BookDeps;
  createGroup: (
    actor: Actor,
    project: string,
    input: { name: string; variables?: VariableChanges | undefined },
  ) => Promise<StoredGroup>;
  setGroupVariables: (
    actor: Actor,
    ref: { project: string; group: string },
    write: VariableWrite,
  ) => Promise<{ id: string; redeployed: Redeployed[] }>;
  deleteGroup: (actor: Actor, project: string, group: string) => Promise<void>;
  placeGroup: (
    actor: Actor,
    ref: Ref & { group: string },
    attachOrder: number | undefined,
  ) => Promise<{ id: string; redeployed: Redeployed[] }>;
};

export function varGroupRoutes(app: FastifyInstance, deps: GroupDeps): void {
  serve(app, deps, contract.listVarGroups, async ({ actor, params, query }) => {
    const { after } = cursorOn(query);
    // All of a project's groups are read for any of them: a reference may name each.
    const all = await presentAll(deps, actor, params.project);
    const rest = all.filter(({ id }) => after === undefined || id > after);
    return paged(
      rest,
      query.limit,
      (group) => group,
      ({ id }) => id,
    );
  });
  serve(app, deps, contract.createVarGroup, async ({ actor, params, body }, deps) => {
    const { id } = await deps.createGroup(actor, params.project, body);
    const group = await presentOne(deps, actor, params.project, id);
    return { ...group, notes: shortSecrets(body.variables ?? {}, group.entries) };
  });
  serve(app, deps, contract.getVarGroup, async ({ actor, params, reply }) =>
    withEtag(reply, await presentOne(deps, actor, params.project, params.group)),
  );
  serve(app, deps, contract.setVarGroup, async ({ actor, params, body, request, reply }) => {
    const { id, redeployed } = await deps.setGroupVariables(actor, params, {
      changes: body.variables,
      madeOver: ifMatchIn(request),
    });
    const group = await presentOne(deps, actor, params.project, id);
    return withEtag(reply, { ...group, redeployed, notes: shortSecrets(body.variables, group.entries) });
  });
  serve(app, deps, contract.deleteVarGroup, ({ actor, params }) =>
    deps.deleteGroup(actor, params.project, params.group),
  );
  serve(app, deps, contract.attachVarGroup, async ({ actor, params, query, body }) => {
    const { id, redeployed } = await deps.placeGroup(actor, { ...params, ...query }, body.attachOrder);
    return { ...(await presentOne(deps, actor, params.project, id)), redeployed };
  });
  serve(app, deps, contract.detachVarGroup, async ({ actor, params, query }) => {
    await deps.placeGroup(actor, { ...params, ...query }, undefined);
  });
}

async function presentAll(deps: GroupDeps, actor: Actor, project: string): Promise<contract.VarGroup[]> {
  const held = await deps.authorize.project(actor, project, "project.read");
  const environments = await deps.stores.environments.ofProject(held.project.id);
  const book = await openBook(deps.stores, deps.book, held.project, environments[0]!);
  const attachments = await deps.stores.variables.attachments(held.project.id);
  const services = await deps.stores.services.ofProject(held.project.id);
  return (await deps.stores.variables.groups(held.project.id))
    .filter((group) => group.name !== null)
    .map((group) =>
      presentGroup(
        group,
        attachments
          .filter((a) => a.groupId === group.id)
          .map((a) => ({
            ...a,
            service: services.find((s) => s.id === a.serviceId)?.name ?? "",
            environment: environments.find((e) => e.id === a.environmentId)?.name ?? "",
          })),
        (entry) => toNames(book, deps.book.box.open(entry.sealed)),
      ),
    );
}

async function presentOne(
  deps: GroupDeps,
  actor: Actor,
  project: string,
  ref: string,
): Promise<contract.VarGroup> {
  const group = (await presentAll(deps, actor, project)).find(({ id, name }) => id === ref || name === ref);
  return group ?? notFound("var group", ref);
}
