import type { Source } from "@starform/contract/services";
import { Fault } from "@starform/std/fault";
import type { Authorize } from "../access/authorize.ts";
import type { Actor } from "../identity/actor.ts";

/** Whether it reads from the disk of the machine Starbase runs on: that is for who administers the installation. */
const isOfThisMachine = (source: Source): boolean =>
  source.kind === "git" && /^file:/i.test(source.url.trim());

/** Refuses, before anything is stored, a source that cannot be fetched from, or not by this person. */
export async function authorizeSource(
  authorize: Authorize,
  actor: Actor,
  project: { readonly workspaceId: string },
  source: Source,
): Promise<void> {
  checkSource(source);
  if (isOfThisMachine(source)) await authorize.workspace(actor, project.workspaceId, "workspace.update");
}

function checkSource(source: Source): void {
  if (source.kind === "git") checkGitUrl(source.url);
  if (source.kind === "image") checkImage(source.image);
}

export function checkGitUrl(text: string): void {
  const url = URL.parse(text);
  if (!url || !["https:", "http:", "file:"].includes(url.protocol))
    throw new Fault(
      "invalid",
      `"${text.slice(0, 100)}" is not an address Git can clone from here: use https://host/owner/repository.git (ssh is not supported)`,
    );
  if (url.username || url.password)
    throw new Fault(
      "invalid",
      "an address with a user name, token or password would show it to everybody who sees the service: name it without them, and sign in with `starform git login <host>`",
    );
}

export function checkImage(image: string): void {
  // An id would name whatever lies in the engine, whoever it belongs to.
  if (
    image.startsWith("sha256:") ||
    !/^[a-z0-9][a-z0-9._\-/:]*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/.test(image)
  )
    throw new Fault(
      "invalid",
      `"${image.slice(0, 100)}" is not the name of an image: write it like registry/owner/name:tag`,
    );
}
