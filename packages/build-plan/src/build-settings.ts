import type { z } from "zod";
import type { PlanOptions } from "./plan-source.ts";
import {
  readStarformFile,
  settingsIn,
  type StarformFileOutcome,
  type StarformSettings,
} from "./starform-file.ts";

/** What a build follows of a service's settings; a service has more, which its starform.json may set too. */
export interface PlannedSettings {
  readonly rootDirectory: string;
  readonly builder: "auto" | "dockerfile" | "plan";
  readonly dockerfilePath: string | null;
  readonly installCommand: string | null;
  readonly buildCommand: string | null;
  readonly startCommand: string | null;
}

/** A service's settings as they are kept, and the schema of a change to them, which the file must pass. */
export interface StoredSettings<S extends PlannedSettings> {
  readonly stored: S;
  readonly environment: string;
  readonly change: z.ZodType;
}

export type BuildSettings<S extends PlannedSettings> =
  | {
      readonly kind: "read";
      readonly settings: S;
      readonly fileSettings: Partial<S>;
      readonly notes: readonly string[];
    }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * The settings a deployment is built and run by: the stored ones, over them what the source's starform.json says for
 * the environment. The file of the app's own folder counts before the repository's.
 */
export const readBuildSettings = <S extends PlannedSettings>(
  dir: string,
  at: StoredSettings<S>,
): Promise<BuildSettings<S>> => settingsBy((folder) => readStarformFile(`${dir}/${folder}`), at);

/** The same for a source that lies elsewhere; `read` gets a folder of it, the top as ".". */
export async function settingsBy<S extends PlannedSettings>(
  read: (folder: string) => Promise<StarformFileOutcome>,
  { stored, environment, change }: StoredSettings<S>,
): Promise<BuildSettings<S>> {
  const outer = await read(".");
  if (outer.kind === "refused") return { kind: "refused", reason: outer.message };
  const outerSettings = outer.kind === "read" ? settingsIn(outer.file, environment) : {};
  const folder = plain(outerSettings.rootDirectory ?? stored.rootDirectory);
  const isInside = folder !== "." && !folder.startsWith("/") && !folder.split("/").includes("..");
  const inner = isInside ? await read(folder) : outer;
  if (inner.kind === "refused") return { kind: "refused", reason: `${folder}: ${inner.message}` };
  const own = inner.kind === "read" ? settingsIn(inner.file, environment) : outerSettings;
  const merged = { ...own, ...(folder === "." ? {} : { rootDirectory: folder }) };
  const checked = change.safeParse(toServiceSettings(merged));
  if (!checked.success) {
    const { path: at, message } = checked.error.issues[0]!;
    return { kind: "refused", reason: `starform.json was not accepted: ${at.join(".")} ${message}` };
  }
  const fileSettings = checked.data as Partial<S> & { rootDirectory?: string };
  if (own.rootDirectory === undefined && outerSettings.rootDirectory === undefined)
    delete fileSettings.rootDirectory;
  const notes = outer.kind === "absent" && inner.kind === "absent" ? [] : [noteOf(fileSettings)];
  return { kind: "read", settings: { ...stored, ...fileSettings }, fileSettings, notes };
}

/** `./apps/web/` → `apps/web`; the top is ".". */
const plain = (folder: string): string =>
  folder
    .split("/")
    .filter((part, i) => part !== "." && (part !== "" || i === 0))
    .join("/") || ".";

function noteOf(settings: object): string {
  const names = Object.keys(settings);
  return names.length === 0
    ? "starform.json changes nothing here"
    : `starform.json sets ${names.join(", ")} for this deployment`;
}

/** The file's words in those of the service: `railpack` is the builder `plan`, `cron` is the schedule. */
function toServiceSettings({
  builder,
  cron,
  type: _type,
  ...same
}: StarformSettings): Record<string, unknown> {
  return {
    ...same,
    ...(builder ? { builder: builder === "railpack" ? "plan" : builder } : {}),
    ...(cron ? { schedule: cron } : {}),
  };
}

/** The planner's options for these settings: own commands travel as the variables that Railpack has for them. */
export function planOptionsOf(
  settings: PlannedSettings,
  variables: Readonly<Record<string, string>>,
): PlanOptions {
  const { installCommand, buildCommand, startCommand, dockerfilePath, rootDirectory, builder } = settings;
  const commands = {
    ...(installCommand ? { RAILPACK_INSTALL_CMD: installCommand } : {}),
    ...(buildCommand ? { RAILPACK_BUILD_CMD: buildCommand } : {}),
    ...(startCommand ? { RAILPACK_START_CMD: startCommand } : {}),
  };
  return {
    variables: { ...commands, ...variables },
    ...(dockerfilePath ? { dockerfilePath } : {}),
    ...(rootDirectory ? { rootDirectory } : {}),
    builder: builder === "plan" ? "railpack" : builder,
  };
}
