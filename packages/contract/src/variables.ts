import { z } from "zod";
import { Digest, Id, Ref, Timestamp, VarGroupName, VariableName } from "./names.ts";
import { PageQuery, pageOf } from "./pages.ts";
import { projectParams } from "./projects.ts";
import { route } from "./route.ts";
import { environmentQuery, redeployedBy, serviceParams } from "./services.ts";

/** At most 64 KiB, no NUL: what an operating system takes as an environment variable. */
export const VariableValue = z
  .string()
  .max(65_536, "a value may have at most 65,536 characters: put larger things in a file or a bucket")
  .refine((v) => !v.includes("\0"), "a value may not hold a NUL character: encode it, for example as base64");

/** A variable as it is shown: a secret's value is `null` unless it was asked to be revealed. */
export const Variable = z
  .object({
    name: VariableName,
    isSecret: z.boolean(),
    value: z.string().nullable(),
    /** What the references resolve to; `null` for secrets and where it has none. */
    resolved: z.string().nullable(),
    digest: Digest,
    /** The var group it comes from; `null`: the service's own. */
    group: z.string().nullable(),
    updatedAt: Timestamp,
  })
  .meta({ id: "Variable" });
export type Variable = z.infer<typeof Variable>;

/** What the platform itself tells a service, while it is built and while it runs; nobody can set these. */
export const platformVariables = [
  "STARFORM_PROJECT_ID",
  "STARFORM_PROJECT_NAME",
  "STARFORM_ENVIRONMENT_ID",
  "STARFORM_ENVIRONMENT_NAME",
  "STARFORM_SERVICE_ID",
  "STARFORM_SERVICE_NAME",
  "STARFORM_PUBLIC_DOMAIN",
  "STARFORM_PUBLIC_URL",
  "STARFORM_PRIVATE_DOMAIN",
  "STARFORM_PRIVATE_URL",
] as const;

/** Secrets that are shorter are not hidden in what builds say: too likely they are ordinary words. */
export const hiddenCharsMin = 6;
/** Whether nothing of a secret of this value is seen there; of an empty one there is nothing to see. */
export function isHiddenInBuildLogs(value: string): boolean {
  const chars = value.trim().length;
  return chars === 0 || chars >= hiddenCharsMin;
}
/** What whoever sets variables should know of them, in sentences. */
const notes = { notes: z.array(z.string()).default([]) };

/** What one service holds of its own in an environment, and what a var group holds. */
export const variablesMax = 500;
/** Var groups attached to one service in an environment. */
export const attachedGroupsMax = 20;

export const VariableEntries = z
  .record(
    z.string(),
    z.union([VariableValue, z.strictObject({ value: VariableValue, isSecret: z.boolean() }), z.null()]),
  )
  .superRefine((entries, context) => {
    const names = Object.keys(entries);
    if (names.length > variablesMax)
      context.addIssue({ code: "custom", message: `at most ${variablesMax} variables at once` });
    for (const name of names)
      for (const issue of VariableName.safeParse(name).error?.issues ?? [])
        context.addIssue({
          code: "custom",
          path: [name],
          message: `${JSON.stringify(name.slice(0, 80))} is no name of a variable: ${issue.message}`,
        });
  });

export const listVariables = route({
  id: "listVariables",
  method: "GET",
  path: "/v1/projects/:project/services/:service/variables",
  area: "variables",
  summary: `What a service gets in an environment, in the order in which later wins. Secrets are hidden. The checksum is the ETag. The list is whole: at most ${variablesMax} of its own, and as many of each of at most ${attachedGroupsMax} var groups.`,
  params: serviceParams,
  query: environmentQuery,
  response: z.object({ items: z.array(Variable), checksum: Digest }),
});
export const setVariables = route({
  id: "setVariables",
  method: "PATCH",
  path: "/v1/projects/:project/services/:service/variables",
  area: "variables",
  summary:
    "Sets (or with `null` deletes) variables of the service itself. With `deploy`, whatever runs and gets other values by it is re-deployed at once; without, it gets them with its next deployment. With `If-Match`, only over what was read.",
  params: serviceParams,
  query: environmentQuery,
  body: z.strictObject({ variables: VariableEntries, deploy: z.boolean().default(true) }),
  response: z.object({
    items: z.array(Variable),
    checksum: Digest,
    /** Of the service itself. */
    deploymentId: Id.nullable(),
    ...redeployedBy,
    ...notes,
  }),
});
export const revealVariable = route({
  id: "revealVariable",
  method: "POST",
  path: "/v1/projects/:project/services/:service/variables/:name/reveal",
  area: "variables",
  isIdempotent: false,
  summary: "The plain value of a secret. Every reveal is audited.",
  params: serviceParams.extend({ name: VariableName }),
  query: environmentQuery,
  response: z.object({ name: VariableName, value: z.string() }),
});

export const VarGroup = z
  .object({
    id: Id,
    projectId: Id,
    name: VarGroupName,
    entries: z.array(
      Variable.pick({ name: true, isSecret: true, value: true, digest: true, updatedAt: true }),
    ),
    attachedTo: z.array(
      z.object({ service: z.string(), environment: z.string(), attachOrder: z.number().int() }),
    ),
    /** Of the entries: the ETag. As `If-Match` it holds a change to what was read. */
    checksum: Digest,
    createdAt: Timestamp,
  })
  .meta({ id: "VarGroup" });
export type VarGroup = z.infer<typeof VarGroup>;
const groupParams = projectParams.extend({ group: Ref });

export const listVarGroups = route({
  id: "listVarGroups",
  method: "GET",
  path: "/v1/projects/:project/var-groups",
  area: "variables",
  summary: "The var groups of a project. The one named `shared` is `${{shared.NAME}}`.",
  params: projectParams,
  query: PageQuery,
  response: pageOf(VarGroup),
});
export const createVarGroup = route({
  id: "createVarGroup",
  method: "POST",
  path: "/v1/projects/:project/var-groups",
  area: "variables",
  status: 201,
  summary: "A new var group.",
  params: projectParams,
  body: z.strictObject({ name: VarGroupName, variables: VariableEntries.optional() }),
  response: VarGroup.extend(notes),
});
export const getVarGroup = route({
  id: "getVarGroup",
  method: "GET",
  path: "/v1/projects/:project/var-groups/:group",
  area: "variables",
  summary: "One var group. The checksum is the ETag.",
  params: groupParams,
  response: VarGroup,
});
export const setVarGroup = route({
  id: "setVarGroup",
  method: "PATCH",
  path: "/v1/projects/:project/var-groups/:group",
  area: "variables",
  summary:
    "Sets (or with `null` deletes) entries of a var group; services that use it get them at once. With `If-Match`, only over what was read.",
  params: groupParams,
  body: z.strictObject({ variables: VariableEntries }),
  response: VarGroup.extend({ ...redeployedBy, ...notes }),
});
export const deleteVarGroup = route({
  id: "deleteVarGroup",
  method: "DELETE",
  path: "/v1/projects/:project/var-groups/:group",
  area: "variables",
  status: 204,
  summary: "Deletes a var group that no service uses any more.",
  params: groupParams,
});
export const attachVarGroup = route({
  id: "attachVarGroup",
  method: "PUT",
  path: "/v1/projects/:project/services/:service/var-groups/:group",
  area: "variables",
  summary: "Attaches a var group to a service in an environment; a higher `attachOrder` wins.",
  params: serviceParams.extend({ group: Ref }),
  query: environmentQuery,
  body: z.strictObject({ attachOrder: z.number().int().min(0).max(1_000).default(0) }),
  response: VarGroup.extend(redeployedBy),
});
export const detachVarGroup = route({
  id: "detachVarGroup",
  method: "DELETE",
  path: "/v1/projects/:project/services/:service/var-groups/:group",
  area: "variables",
  status: 204,
  summary: "Detaches a var group from a service in an environment.",
  params: serviceParams.extend({ group: Ref }),
  query: environmentQuery,
});
