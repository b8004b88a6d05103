import type { Clock } from "@starform/std/clock";
import { Fault, isFault } from "@starform/std/fault";
import type { Authorize } from "../access/authorize.ts";
import type { Authenticate } from "../identity/authenticate.ts";
import type { Actor } from "../identity/actor.ts";
import type { ServiceStore } from "../services/ports.ts";
import { repositoryAt } from "./image-name.ts";
import type {
  PushGate,
  RegistryPassword,
  RegistryPasswords,
  RegistryScope,
  RegistryTokens,
} from "./ports.ts";

export type RegistryAsk = {
  readonly username: string;
  readonly password: string;
  readonly scopes: readonly RegistryScope[];
};
export type RegistryGrant = { readonly token: string; readonly seconds: number; readonly issuedAt: Date };
export type GrantRegistryAccess = (ask: RegistryAsk) => Promise<RegistryGrant>;

/** The least that clients of the token protocol take for granted; a push that lasts longer asks again. */
export const tokenSeconds = 60;

/**
 * Answers a Docker client that wants to sign in, pull or push. The password is a registry password of one project, or
 * somebody's API token, which opens what its owner may see (pull) and deploy (push). What is asked for and not allowed
 * is left out, as the protocol wants it: a client that mounts a layer from elsewhere asks for two repositories at once
 * and lives with one. Faults: `unauthenticated`; `rate_limited` for a push while garbage is collected.
 */
export const grantRegistryAccess =
  (deps: {
    passwords: RegistryPasswords;
    tokens: RegistryTokens;
    gate: PushGate;
    authenticate: Authenticate;
    authorize: Authorize;
    services: Pick<ServiceStore, "ofProject">;
    clock: Clock;
  }): GrantRegistryAccess =>
  async ({ username, password, scopes }) => {
    const now = deps.clock.now();
    const opened = deps.passwords.read(password);
    if (opened && opened.expiresAt <= now)
      throw new Fault(
        "unauthenticated",
        "this registry password has expired: make a new one with `starform registries password`",
      );
    const may = opened ? byPassword(opened) : byActor(deps, await signedIn(deps.authenticate, password));
    const granted = (await Promise.all(scopes.map((scope) => allowed(deps.services, may, scope)))).flat();
    if (granted.some(({ actions }) => actions.includes("push")) && !(await deps.gate.admit()))
      throw new Fault("rate_limited", "the registry is being cleaned up: push again in a few minutes");
    const left = opened ? Math.ceil((opened.expiresAt.getTime() - now.getTime()) / 1_000) : tokenSeconds;
    const seconds = Math.min(tokenSeconds, left);
    return {
      token: deps.tokens.sign({ subject: username, scopes: granted, now, seconds }),
      seconds,
      issuedAt: now,
    };
  };

type May = (projectId: string, action: "pull" | "push") => Promise<boolean>;

const byPassword =
  ({ projectId, access }: RegistryPassword): May =>
  async (asked, action) =>
    asked === projectId && (action === "pull" || access === "push");

const byActor =
  ({ authorize }: { authorize: Authorize }, actor: Actor): May =>
  async (projectId, action) => {
    try {
      await authorize.project(actor, projectId, action === "pull" ? "project.read" : "deployments.write");
      return true;
    } catch (error) {
      if (isFault(error, "not_found") || isFault(error, "forbidden")) return false;
      throw error;
    }
  };

async function signedIn(authenticate: Authenticate, password: string): Promise<Actor> {
  try {
    return await authenticate(`Bearer ${password}`);
  } catch (error) {
    if (!isFault(error, "unauthenticated")) throw error;
    throw new Fault(
      "unauthenticated",
      "the password is neither an API token (`starform tokens create`) nor a registry password (`starform registries password`), or it has expired",
    );
  }
}

const actions = ["pull", "push"] as const;

/** The part of a scope that may be had; a repository of no service of the project holds nothing and takes nothing. */
async function allowed(
  services: Pick<ServiceStore, "ofProject">,
  may: May,
  scope: RegistryScope,
): Promise<RegistryScope[]> {
  const repository = scope.type === "repository" ? repositoryAt(scope.name) : undefined;
  if (!repository) return [];
  const { projectId, serviceId } = repository;
  const had: string[] = [];
  for (const action of actions)
    if (scope.actions.includes(action) && (await may(projectId, action))) had.push(action);
  if (had.length === 0) return [];
  const isService = (await services.ofProject(projectId)).some(({ id }) => id === serviceId);
  return isService ? [{ type: "repository", name: scope.name, actions: had }] : [];
}
