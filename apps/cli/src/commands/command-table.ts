import type { Command, RouteMap } from "@stricli/core";
import type { RunContext } from "../command.ts";

export type CommandEntry = {
  readonly brief: string;
  readonly isHidden?: boolean;
  load(): Promise<{ readonly default: Command<RunContext> | RouteMap<RunContext> }>;
};

/** Every first word there is. Only the one that is typed is loaded: start-up must not grow with the number of commands. */
export const commandTable: Readonly<Record<string, CommandEntry>> = {
  login: { brief: "sign in with a token or a sign-in link", load: () => import("./session/login.ts") },
  logout: { brief: "forget the stored sign-in", load: () => import("./session/logout.ts") },
  whoami: { brief: "show who is signed in, and where", load: () => import("./session/whoami.ts") },
  init: { brief: "write a starform.json for this folder", load: () => import("./folder/init.ts") },
  link: { brief: "connect this folder to a project and a service", load: () => import("./folder/link.ts") },
  unlink: { brief: "disconnect this folder", load: () => import("./folder/unlink.ts") },
  up: { brief: "deploy this folder and wait until it is live", load: () => import("./folder/up.ts") },
  plan: { brief: "show how a folder would be built", load: () => import("./folder/plan.ts") },
  eject: {
    brief: "write the Dockerfile that a folder's plan stands for",
    load: () => import("./folder/eject.ts"),
  },
  status: { brief: "show the project's services and what runs", load: () => import("./folder/status.ts") },
  open: { brief: "open the service in the browser", load: () => import("./folder/open.ts") },
  logs: { brief: "show and follow logs", load: () => import("./logs/logs.ts") },
  deployments: {
    brief: "list, show and watch deployments",
    load: () => import("./deployments/deployments.ts"),
  },
  builds: {
    brief: "component lists and provenance of images",
    load: () => import("./builds/builds.ts"),
  },
  redeploy: {
    brief: "deploy the last source, a branch or an image again",
    load: () => import("./deployments/redeploy.ts"),
  },
  rollback: {
    brief: "go back to an earlier deployment, without a build",
    load: () => import("./deployments/rollback.ts"),
  },
  cancel: { brief: "stop a deployment that has not ended", load: () => import("./deployments/cancel.ts") },
  diff: { brief: "show what changed between two deployments", load: () => import("./deployments/diff.ts") },
  restart: { brief: "replace every instance by a fresh one", load: () => import("./services/restart.ts") },
  scale: { brief: "set how many instances run, and how large", load: () => import("./services/scale.ts") },
  variables: {
    brief: "list, set, delete and reveal variables",
    load: () => import("./variables/variables.ts"),
  },
  "var-groups": {
    brief: "sets of variables that services share",
    load: () => import("./var-groups/var-groups.ts"),
  },
  services: { brief: "list, create and delete services", load: () => import("./services/services.ts") },
  environments: {
    brief: "list, make, protect and delete environments",
    load: () => import("./environments/environments.ts"),
  },
  projects: { brief: "list, create and delete projects", load: () => import("./projects/projects.ts") },
  tokens: { brief: "list, create and delete API tokens", load: () => import("./tokens/tokens.ts") },
  registries: {
    brief: "sign in to private registries for prebuilt images",
    load: () => import("./registries/registries.ts"),
  },
  cron: { brief: "the runs of cron services", load: () => import("./cron/cron.ts") },
  cluster: {
    brief: "install, examine and remove a Kubernetes cluster",
    load: () => import("./cluster/cluster.ts"),
  },
  clusters: {
    brief: "the platform's clusters: list, create, rotate tokens",
    load: () => import("./clusters/clusters.ts"),
  },
  git: { brief: "deploy by git push", load: () => import("./git/git.ts") },
  "git-credential": {
    brief: "answer Git's credential helper protocol",
    isHidden: true,
    load: () => import("./git/git-credential.ts"),
  },
  completion: {
    brief: "print the completion script of a shell",
    load: () => import("./completion/completion.ts"),
  },
};

export const commandAliases: Readonly<Record<string, string>> = {
  deploy: "up",
  vars: "variables",
  deployment: "deployments",
  variable: "variables",
  service: "services",
  environment: "environments",
  project: "projects",
  token: "tokens",
  registry: "registries",
};
