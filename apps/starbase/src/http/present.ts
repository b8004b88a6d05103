import type { CronRunReport } from "@starform/contract/clusters";
import type { Deployment as WireDeployment } from "@starform/contract/deployments";
import type { ApiToken } from "@starform/contract/identity";
import type { AuditEntry as WireAuditEntry } from "@starform/contract/workspaces";
import type { Project as WireProject, Environment as WireEnvironment } from "@starform/contract/projects";
import { ServiceSettings, type CronRun, type Service as WireService } from "@starform/contract/services";
import type { VarGroup } from "@starform/contract/variables";
import type { ProjectAccess } from "../core/access/authorize.ts";
import type { Environment, Project } from "../core/access/ports.ts";
import type { AuditEntry } from "../core/audit/ports.ts";
import type { Outlook } from "../core/builds/outlooks.ts";
import type { SeenDeployment } from "../core/deployments/ports.ts";
import type { StoredToken } from "../core/identity/ports.ts";
import type { Member } from "../core/projects/ports.ts";
import type { PlacedService } from "../core/services/ports.ts";
import { serviceChecksum } from "../core/services/settings.ts";
import type { Attachment, StoredGroup } from "../core/variables/ports.ts";
import { groupChecksum } from "../core/variables/show-variables.ts";

/** Turns an address of the installation's own into what a person opens. */
export type Urls = {
  readonly publicUrl: (hostname: string) => string;
  readonly gitUrl: (project: Project, service: string) => string;
};

export const presentProject = ({ project, role }: ProjectAccess): WireProject => ({
  id: project.id,
  workspaceId: project.workspaceId,
  workspaceSlug: project.workspaceSlug,
  slug: project.slug,
  name: project.name,
  clusterId: project.clusterId,
  role,
  createdAt: project.createdAt.toISOString(),
});

export const presentEnvironment = (e: Environment): WireEnvironment => ({
  ...e,
  createdAt: e.createdAt.toISOString(),
});

export const presentMember = <Role>(member: Member<Role>) => ({
  ...member,
  createdAt: member.createdAt.toISOString(),
});

export const presentToken = (token: StoredToken): ApiToken => ({
  id: token.id,
  name: token.name,
  workspaceId: token.workspaceId,
  projectId: token.projectId,
  scope: token.scope,
  prefix: token.prefix,
  createdAt: token.createdAt.toISOString(),
  expiresAt: token.expiresAt?.toISOString() ?? null,
  lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
});

export const presentService = (
  place: PlacedService,
  project: Project,
  latest: SeenDeployment | undefined,
  urls: Urls,
): WireService => ({
  id: place.id,
  projectId: place.projectId,
  projectSlug: project.slug,
  environment: place.environment,
  name: place.name,
  type: place.type,
  source: place.source,
  settings: ServiceSettings.parse(place.settings),
  checksum: serviceChecksum(place),
  url: place.hostname ? urls.publicUrl(place.hostname) : null,
  gitUrl: urls.gitUrl(project, place.name),
  activeDeploymentId: place.activeDeploymentId,
  latestDeployment: latest ? { id: latest.id, status: latest.status, reason: latest.reason } : null,
  health: {
    phase: place.targetDeploymentId ? (place.health.phase ?? "starting") : "not_deployed",
    readyReplicas: place.targetDeploymentId ? (place.health.readyReplicas ?? 0) : 0,
    desiredReplicas: place.targetDeploymentId ? (place.health.desiredReplicas ?? place.settings.replicas) : 0,
    restarts: place.health.restarts ?? 0,
    reason: place.targetDeploymentId ? (place.health.reason ?? null) : null,
    observedAt: place.healthAt?.toISOString() ?? null,
    heldBack: place.health.heldBack ?? null,
    ...(place.health.lastLines ? { lastLines: place.health.lastLines } : {}),
    putBack: place.health.putBack ?? [],
  },
  createdAt: place.createdAt.toISOString(),
  updatedAt: place.updatedAt.toISOString(),
});

export const presentDeployment = (d: SeenDeployment, urls: Urls, outlook: Outlook): WireDeployment => ({
  id: d.id,
  projectId: d.projectId,
  serviceId: d.serviceId,
  service: d.service,
  environment: d.environment,
  number: d.number,
  status: d.status,
  reason: d.reason,
  isActive: d.isActive,
  trigger: d.trigger,
  commit: d.commit,
  buildId: d.buildId,
  image: d.image,
  imageDigest: d.imageDigest,
  stages: [...d.stages],
  ...outlook,
  rollbackOf: d.rollbackOf,
  url: d.hostname ? urls.publicUrl(d.hostname) : null,
  createdBy: d.createdBy,
  createdAt: d.createdAt.toISOString(),
  endedAt: d.endedAt?.toISOString() ?? null,
  // A clock that was put back in between would make it less than nothing.
  durationMs: d.endedAt ? Math.max(0, d.endedAt.getTime() - d.createdAt.getTime()) : null,
  revision: d.revision,
});

export const presentRun = (run: CronRunReport): CronRun => ({
  id: run.run_id,
  scheduledFor: run.scheduled_for,
  startedAt: run.started_at,
  endedAt: run.ended_at,
  outcome: run.outcome,
  reason: run.reason,
});

/** No value of a secret is ever in it: `open` is asked for plain entries only. */
export const presentGroup = (
  group: StoredGroup,
  attachments: readonly (Attachment & { service: string; environment: string })[],
  open: (entry: StoredGroup["entries"][number]) => string,
): VarGroup => ({
  id: group.id,
  projectId: group.projectId,
  name: group.name ?? "",
  entries: group.entries.map((entry) => ({
    name: entry.name,
    isSecret: entry.isSecret,
    value: entry.isSecret ? null : open(entry),
    digest: entry.digest,
    updatedAt: entry.updatedAt.toISOString(),
  })),
  attachedTo: attachments.map(({ service, environment, attachOrder }) => ({
    service,
    environment,
    attachOrder,
  })),
  checksum: groupChecksum(group),
  createdAt: group.createdAt.toISOString(),
});

export const presentAudit = ({ workspaceId: _, ...entry }: AuditEntry): WireAuditEntry => ({
  ...entry,
  at: entry.at.toISOString(),
  detail: { ...entry.detail },
});
