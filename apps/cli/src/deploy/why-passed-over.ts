import { join } from "node:path";
import { firstEnvironment } from "@starform/contract/names";
import type { Service } from "@starform/contract/services";

/** What keeps the builds from a Dockerfile in the root directory, and what to change; undefined where nothing does. */
export async function whyPassedOver(
  root: string,
  rootDirectory: string,
  service: Service | undefined,
): Promise<string | undefined> {
  const { readStarformFile, settingsIn } = await import("@starform/build-plan/starform-file");
  const [own, outer] = await Promise.all([join(root, rootDirectory), root].map(readStarformFile));
  const read = own?.kind === "read" ? own : outer;
  const file = read?.kind === "read" ? settingsIn(read.file, service?.environment ?? firstEnvironment) : {};
  if (file.builder === "railpack")
    return 'the builds pass it over, because starform.json says "builder": "railpack": take that out, and the next deployment is built by it';
  if (file.builder === undefined && service?.settings.builder === "plan")
    return `the builds pass it over, because the builder of ${service.name} is set to the plan: write "builder": "auto" into starform.json, and the next deployment is built by it`;
  return undefined;
}
