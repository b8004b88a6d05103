import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** `deploy/cluster` of this repository; beside the program where it was bundled. */
const root = [new URL("cluster/", import.meta.url), new URL("../../../deploy/cluster/", import.meta.url)]
  .map((url) => fileURLToPath(url))
  .find((path) => existsSync(`${path}versions.json`));

/** A file of deploy/cluster as text; a packed one is unpacked. */
export function readPart(folder: string, name: string): string {
  const bytes = readFileSync(`${rootFolder()}${folder}/${name}`);
  return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

export const namesIn = (folder: string): readonly string[] =>
  readdirSync(`${rootFolder()}${folder}`).toSorted();

export type Versions = Readonly<
  Record<string, { readonly image: string; readonly tag: string; readonly digest?: string }>
>;
export const readVersions = (): Versions =>
  JSON.parse(readFileSync(`${rootFolder()}versions.json`, "utf8")) as Versions;

function rootFolder(): string {
  if (!root) throw new Error("this build of Starform lacks its folder deploy/cluster: install it anew");
  return root;
}
