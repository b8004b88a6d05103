import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import type { RegistryAccess, RegistryCredentials, RegistryProvider } from "../../ports/registry-provider.ts";
import type { Authorize } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import type { Transact } from "../stores.ts";

/** A password for the project's repositories in this installation's own registry: for people and build machines. */
export const createRegistryPassword =
  ({
    registry,
    transact,
    authorize,
    clock,
  }: {
    registry: RegistryProvider | undefined;
    transact: Transact;
    authorize: Authorize;
    clock: Clock;
  }) =>
  async (
    actor: Actor,
    ref: string,
    input: { access: RegistryAccess; expiresInSeconds: number },
  ): Promise<RegistryCredentials & { prefix: string }> => {
    const permission = input.access === "pull" ? "project.read" : "deployments.write";
    const { project } = await authorize.project(actor, ref, permission);
    if (!registry)
      throw new Fault(
        "precondition_failed",
        "this installation has no registry: images stay where they are built. On Debian, install docker-registry and start again",
      );
    if (registry.credentialScope === "registry")
      throw new Fault(
        "precondition_failed",
        "passwords of this installation's registry open all of it, so they are not handed out: deploy an image of a registry of your own (`starform registries add`)",
      );
    const { expiresAt: end } = actor;
    const leftSeconds = end ? Math.floor((end.getTime() - clock.now().getTime()) / 1_000) : Infinity;
    const seconds = Math.max(1, Math.min(input.expiresInSeconds, leftSeconds));
    const credentials = await registry.credentials(project.id, input.access, seconds);
    await transact(({ audit }) =>
      record(audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "registry_password.created",
        actor: actor.email,
        subject: registry.host,
        detail: { access: input.access, expiresAt: credentials.expiresAt.toISOString() },
      }),
    );
    return { ...credentials, prefix: `${registry.prefix}/${project.id}` };
  };
