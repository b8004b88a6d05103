import { z } from "zod";
import { Id, ServiceName, ServiceType, Timestamp } from "./names.ts";
import { projectParams } from "./projects.ts";
import { route } from "./route.ts";
import { ServiceSettingsPatch, Source } from "./services.ts";
import { VariableEntries } from "./variables.ts";

const area = "proposals";

/** Proposals that a workspace may have under way at once. */
export const openProposalsMax = 5;
/** How long a proposal is there to be read. */
export const proposalHours = 24;

/** A service that a repository seems to hold: what `createService` takes, for a person to correct. */
export const ProposedService = z
  .object({
    name: ServiceName,
    type: ServiceType,
    /** What builds it: `node`, `python`, `dockerfile`, … */
    provider: z.string().max(64),
    /** Half a sentence: why it is taken for one. */
    reason: z.string().max(2_048),
    /** What it starts by itself, where `settings` say nothing; shortened. */
    plannedStart: z.string().max(500).optional(),
    /** What differs from any new service: branch, root directory, commands, watch paths, schedule. */
    settings: ServiceSettingsPatch,
    /** Variables that it names as needed; they may hold references, such as `${{api.STARFORM_PRIVATE_URL}}`. */
    variables: VariableEntries,
  })
  .meta({ id: "ProposedService" });
export type ProposedService = z.infer<typeof ProposedService>;

export const proposalStatuses = ["queued", "running", "ready", "failed"] as const;
export type ProposalStatus = (typeof proposalStatuses)[number];

/** Which services a repository seems to hold. */
export const Proposal = z
  .object({
    id: Id,
    projectId: Id,
    source: Source,
    /** The one that was asked for, else the repository's default, where that is known by now. */
    branch: z.string().nullable(),
    status: z.enum(proposalStatuses),
    /** One sentence, when it failed. */
    reason: z.string().nullable(),
    /** The smallest change of the repository that would help, where no app was found in it. */
    hint: z.string().nullable(),
    /** What was looked at. */
    commit: z.object({ sha: z.string(), message: z.string(), author: z.string() }).nullable(),
    /** In order of their folders. */
    services: z.array(ProposedService),
    /** What was passed over, in sentences. */
    notes: z.array(z.string()),
    createdBy: z.string(),
    createdAt: Timestamp,
    endedAt: Timestamp.nullable(),
    /** It is forgotten after that. */
    expiresAt: Timestamp,
  })
  .meta({ id: "Proposal" });
export type Proposal = z.infer<typeof Proposal>;

export const createProposal = route({
  id: "createProposal",
  method: "POST",
  path: "/v1/projects/:project/proposals",
  area,
  status: 201,
  summary: `Looks into a Git repository for the services that it holds, and makes none of them. It takes its time: ask for the proposal until it is \`ready\` or \`failed\`. A project may have ${openProposalsMax} under way.`,
  params: projectParams,
  body: z.strictObject({
    url: z.string().min(1).max(2_048),
    /** A branch, a tag or a commit; the repository's default branch if left out. */
    branch: z.string().min(1).max(255).optional(),
  }),
  response: Proposal,
});
export const getProposal = route({
  id: "getProposal",
  method: "GET",
  path: "/v1/projects/:project/proposals/:proposal",
  area,
  summary: `What was found in a repository, for ${proposalHours} hours.`,
  params: projectParams.extend({ proposal: Id }),
  response: Proposal,
});
