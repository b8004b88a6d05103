import { settingsBy } from "@starform/build-plan/build-settings";
import { readStarformText, starformFileName } from "@starform/build-plan/starform-file";
import { ServiceSettingsPatch } from "@starform/contract/services";
import type { PushUpdate } from "../builds/git-remote.ts";
import type { PushedTrees } from "../builds/ports.ts";
import type { PlacedService } from "../services/ports.ts";
import type { Stores } from "../stores.ts";
import { isAnyWatched } from "./watch-paths.ts";

/** What a push is compared with, where it changes nothing that the place watches. */
export type Untouched = {
  readonly since: number;
  readonly sha: string;
  readonly watchPaths: readonly string[];
};

/**
 * Whether a push changes nothing that its place watches; undefined: it deploys. Compared is with what the place was last
 * built from, not with the push before, so that a failed deployment's changes are not lost with it. As everywhere, the
 * starform.json of the pushed commit counts before the stored settings; a change of that file itself always deploys, and
 * so does whatever cannot be compared.
 */
export async function isUntouched(
  { stores, trees }: { stores: Pick<Stores, "deployments">; trees: PushedTrees },
  place: PlacedService,
  { newSha }: Pick<PushUpdate, "newSha">,
): Promise<Untouched | undefined> {
  const last = await stores.deployments.lastOfSource(place.id, place.environmentId);
  if (last?.source?.kind !== "commit") return undefined;
  const read = await settingsBy(
    async (folder) => {
      const text = await trees.readFile(place.id, newSha, inFolder(folder));
      return text === undefined ? { kind: "absent" } : readStarformText(text);
    },
    { stored: place.settings, environment: place.environment, change: ServiceSettingsPatch },
  );
  if (read.kind === "refused") return undefined;
  const { watchPaths, rootDirectory } = read.settings;
  if (watchPaths.length === 0) return undefined;
  const { sha } = last.source;
  const changed = await trees.changedPaths(place.id, sha, newSha);
  if (!changed) return undefined;
  const own = [inFolder("."), inFolder(rootDirectory)];
  if (changed.some((path) => own.includes(path)) || isAnyWatched(watchPaths, changed)) return undefined;
  return { since: last.number, sha, watchPaths };
}

const inFolder = (folder: string): string =>
  [...folder.split("/").filter((part) => part !== "" && part !== "."), starformFileName].join("/");
