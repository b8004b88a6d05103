import * as builds from "./builds.ts";
import * as clusterRecords from "./cluster-records.ts";
import * as clusters from "./clusters.ts";
import * as deployments from "./deployments.ts";
import * as gitHosts from "./git-hosts.ts";
import * as identity from "./identity.ts";
import * as logs from "./logs.ts";
import * as projects from "./projects.ts";
import * as proposals from "./proposals.ts";
import * as registries from "./registries.ts";
import type { Route } from "./route.ts";
import * as services from "./services.ts";
import * as variables from "./variables.ts";
import * as workspaces from "./workspaces.ts";

const isRoute = (value: unknown): value is Route =>
  typeof value === "object" && value !== null && "method" in value && "path" in value && "audience" in value;

/** Every route there is, for the reference and for tests that walk them all. */
export const allRoutes: readonly Route[] = [
  identity,
  workspaces,
  projects,
  services,
  proposals,
  variables,
  deployments,
  builds,
  registries,
  gitHosts,
  logs,
  clusters,
  clusterRecords,
].flatMap((area) => Object.values(area).filter(isRoute));
