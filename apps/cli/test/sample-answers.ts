import type { Deployment } from "@starform/contract/deployments";
import type { LogEntry } from "@starform/contract/logs";
import type { Project } from "@starform/contract/projects";
import { ServiceSettings, type Service } from "@starform/contract/services";

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const at = "2026-11-29T11:00:00.000Z";
export const ids = {
  workspace: id(1),
  project: id(2),
  service: id(3),
  cluster: id(4),
  user: id(5),
  build: id(6),
};
export const deploymentId = (number: number): string => id(1_000 + number);

export const aProject = (over: Partial<Project> = {}): Project => ({
  id: ids.project,
  workspaceId: ids.workspace,
  workspaceSlug: "acme",
  slug: "shop",
  name: "Shop",
  clusterId: ids.cluster,
  role: "admin",
  createdAt: at,
  ...over,
});

export const aService = (over: Partial<Service> = {}): Service => ({
  id: ids.service,
  projectId: ids.project,
  projectSlug: "shop",
  environment: "production",
  name: "web",
  type: "web",
  source: { kind: "push" },
  settings: ServiceSettings.parse({}),
  checksum: `sha256:${"c".repeat(64)}`,
  url: "http://web-shop.localhost:4402",
  gitUrl: "http://127.0.0.1:4401/git/shop/web.git",
  activeDeploymentId: deploymentId(1),
  latestDeployment: { id: deploymentId(1), status: "deployed", reason: null },
  health: {
    phase: "running",
    readyReplicas: 1,
    desiredReplicas: 1,
    restarts: 0,
    reason: null,
    observedAt: at,
  },
  createdAt: at,
  updatedAt: at,
  ...over,
});

export const aDeployment = (over: Partial<Deployment> = {}): Deployment => {
  const number = over.number ?? 1;
  return {
    id: deploymentId(number),
    projectId: ids.project,
    serviceId: ids.service,
    service: "web",
    environment: "production",
    number,
    status: "deployed",
    reason: null,
    isActive: false,
    trigger: "up",
    commit: null,
    buildId: ids.build,
    image: null,
    imageDigest: `sha256:${"a".repeat(64)}`,
    stages: [],
    inLine: null,
    estimate: null,
    rollbackOf: null,
    url: "http://web-shop.localhost:4402",
    createdBy: "ada@example.com",
    createdAt: at,
    endedAt: null,
    durationMs: null,
    revision: 1,
    ...over,
  };
};

export const aLine = (message: string, over: Partial<LogEntry> = {}): LogEntry => ({
  ts: "2026-11-29T11:59:58.000Z",
  service: "web",
  level: "info",
  stream: "stdout",
  message,
  instance: "web-1",
  deploymentId: null,
  buildId: null,
  attributes: null,
  ...over,
});

export const aMe = {
  user: { id: ids.user, email: "ada@example.com", name: "Ada" },
  via: "token" as const,
  workspaces: [{ id: ids.workspace, slug: "acme", name: "Acme", role: "owner" as const }],
};
