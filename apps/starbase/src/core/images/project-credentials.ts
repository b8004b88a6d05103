import { signInsMax } from "@starform/contract/registries";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { notFound, type Authorize } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import type { Stores, Transact } from "../stores.ts";
import type { SecretBox } from "../variables/ports.ts";
import { registryHost } from "./image-reference.ts";
import type { ProjectCredential, ProjectCredentialStore } from "./ports.ts";

type Deps = { transact: Transact; authorize: Authorize; clock: Clock; box: SecretBox };
type Kind = ProjectCredential["kind"];

/** What image names and addresses call the host, in one spelling. */
const hostOf = (kind: Kind, host: string): string =>
  kind === "registry" ? registryHost(host) : host.toLowerCase();

/**
 * Keeps a sign-in of the project, sealed. It counts in every environment, the protected ones too, so it is a project
 * admin's to set.
 */
export const putCredential =
  ({ transact, authorize, clock, box }: Deps) =>
  async (
    actor: Actor,
    ref: string,
    input: { kind: Kind; host: string; username: string; password: string },
  ): Promise<ProjectCredential> => {
    const { project } = await authorize.project(actor, ref, "project.update");
    const credential: ProjectCredential = {
      projectId: project.id,
      kind: input.kind,
      host: hostOf(input.kind, input.host),
      username: input.username,
      password: box.seal(input.password),
      createdBy: actor.email,
      createdAt: clock.now(),
    };
    await transact(async (uow) => {
      await uow.projects.hold(project.id);
      await refuseTooMany(uow.credentials, credential);
      await uow.credentials.put(credential);
      // Desired state carries the sign-in of what it names; nobody fetches code there.
      if (input.kind === "registry") await uow.clusters.bumpVersion(project.clusterId);
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: `${input.kind}_credential.set`,
        actor: actor.email,
        subject: credential.host,
        detail: { username: credential.username },
      });
    });
    return credential;
  };

async function refuseTooMany(
  credentials: ProjectCredentialStore,
  { projectId, kind, host }: ProjectCredential,
): Promise<void> {
  const known = await credentials.ofProject(projectId, kind);
  if (known.length < signInsMax || known.some((one) => one.host === host)) return;
  const what = kind === "registry" ? "registries" : "Git hosts";
  throw new Fault(
    "conflict",
    `the project signs in to ${signInsMax} ${what} already: delete one that is not used any more`,
  );
}

export const deleteCredential =
  ({ transact, authorize, clock }: Deps) =>
  async (actor: Actor, ref: string, { kind, host }: { kind: Kind; host: string }): Promise<void> => {
    const { project } = await authorize.project(actor, ref, "project.update");
    await transact(async (uow) => {
      if (!(await uow.credentials.remove(project.id, kind, hostOf(kind, host))))
        notFound(kind === "registry" ? "sign-in to a registry" : "sign-in to a Git host", host);
      await uow.clusters.bumpVersion(project.clusterId);
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: `${kind}_credential.deleted`,
        actor: actor.email,
        subject: hostOf(kind, host),
      });
    });
  };

export const listCredentials =
  ({ stores, authorize }: { stores: Pick<Stores, "credentials">; authorize: Authorize }) =>
  async (actor: Actor, ref: string, kind: Kind): Promise<ProjectCredential[]> => {
    const { project } = await authorize.project(actor, ref, "project.read");
    return stores.credentials.ofProject(project.id, kind);
  };

export type SignIn = { readonly username: string; readonly password: string };

/** The project's sign-in to a host; undefined where it has none. The answer is a secret. */
export async function signInTo(
  { credentials, box }: { credentials: ProjectCredentialStore; box: SecretBox },
  projectId: string,
  { kind, host }: { kind: Kind; host: string },
): Promise<SignIn | undefined> {
  const found = (await credentials.ofProject(projectId, kind)).find((one) => one.host === hostOf(kind, host));
  return found && { username: found.username, password: box.open(found.password) };
}
