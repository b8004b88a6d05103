import { readLooseJson } from "../loose-json.ts";
import { asList, asRecord, asText, integrityHash, type Component, type LockReader } from "./component.ts";

const npm = (name: string, version: string, more: Partial<Component> = {}): Component => ({
  ecosystem: "npm",
  name,
  version,
  ...more,
});

/** npm's, of every version. */
export const readNpmLock: LockReader = (text) => {
  const lock = asRecord(JSON.parse(text));
  return lock["packages"]
    ? fromPackages(asRecord(lock["packages"]))
    : fromTree(asRecord(lock["dependencies"]));
};

function fromPackages(packages: Record<string, unknown>): Component[] {
  return Object.entries(packages).flatMap(([path, value]) => {
    const { name, version, integrity, dev, link } = asRecord(value);
    const folder = path.split("node_modules/").at(-1) ?? "";
    // What lies outside of node_modules is the app itself, or a part of it.
    if (!path.includes("node_modules/") || link === true || asText(version) === "") return [];
    const isDevelopment = dev === true ? { isDevelopment: true } : {};
    return [npm(asText(name) || folder, asText(version), { ...integrityHash(integrity), ...isDevelopment })];
  });
}

/** Version 1 nests what is installed below what needs it. */
function fromTree(dependencies: Record<string, unknown>, depth = 0): Component[] {
  if (depth > 100) return [];
  return Object.entries(dependencies).flatMap(([name, value]) => {
    const { version, integrity, dev, dependencies: inner } = asRecord(value);
    const isDevelopment = dev === true ? { isDevelopment: true } : {};
    return [
      npm(name, asText(version), { ...integrityHash(integrity), ...isDevelopment }),
      ...fromTree(asRecord(inner), depth + 1),
    ];
  });
}

/** Yarn's own text of version 1, and the YAML of later ones, which has the same lines where it counts. */
export const readYarnLock: LockReader = (text) => {
  const found: Component[] = [];
  let [name, version, hash] = ["", "", {} as Pick<Component, "hash">];
  const take = () => {
    if (name && version) found.push(npm(name, version, hash));
    [name, version, hash] = ["", "", {}];
  };
  for (const line of text.split("\n")) {
    if (/^\S/.test(line) && !line.startsWith("#")) {
      take();
      const [, key = ""] = /^"?((?:@[^@/]+\/)?[^@"]+)@/.exec(line) ?? [];
      // A workspace of the app itself, or Yarn's own note.
      name = /@(workspace|portal|link):/.test(line) || key === "__metadata" ? "" : key;
      continue;
    }
    const [, field = "", value = ""] =
      /^ {2}"?(version|integrity|resolution)"?:? "?([^"\s]+)/.exec(line) ?? [];
    if (field === "version") version = value;
    if (field === "integrity") hash = integrityHash(value);
    const [, real] = field === "resolution" ? (/^((?:@[^@/]+\/)?[^@]+)@/.exec(value) ?? []) : [];
    if (name && real) name = real;
  }
  take();
  return found;
};

/** pnpm's: every version of it has one key for each package, only spelt differently. */
export const readPnpmLock: LockReader = (text) => {
  const found: Component[] = [];
  let isInPackages = false;
  for (const line of text.split("\n")) {
    if (/^\S/.test(line)) {
      isInPackages = /^packages:\s*$/.test(line);
      continue;
    }
    if (!isInPackages) continue;
    const [, key] = /^ {2}['"]?\/?([^\s'":][^'"]*?)['"]?:\s*$/.exec(line) ?? [];
    const [, name, version] = key ? (/^((?:@[^@/]+\/)?[^@/]+)[@/]([^@/(_]+)/.exec(key) ?? []) : [];
    if (name && version) found.push(npm(name, version));
    const [, integrity] = /\bintegrity: ([\w+/=-]+)/.exec(line) ?? [];
    const last = found.at(-1);
    if (integrity && last && !last.hash) found[found.length - 1] = { ...last, ...integrityHash(integrity) };
    if (/^ {4}dev: true\s*$/.test(line) && last)
      found[found.length - 1] = { ...found.at(-1)!, isDevelopment: true };
  }
  return found;
};

/** Bun's text form: `"name": ["name@1.2.3", "", {}, "sha512-…"]`. */
export const readBunLock: LockReader = (text) =>
  Object.values(asRecord(asRecord(readLooseJson(text))["packages"])).flatMap((value) => {
    const list = asList(value);
    const [, name, version] = /^((?:@[^@/]+\/)?[^@]+)@([^@]+)$/.exec(asText(list[0])) ?? [];
    if (!name || !version || /^(workspace|link|file):/.test(version)) return [];
    return [npm(name, version, integrityHash(list.at(-1)))];
  });

/** Deno's: what it took from npm, and from JSR. */
export const readDenoLock: LockReader = (text) => {
  const lock = asRecord(JSON.parse(text));
  const packages = asRecord(lock["packages"]);
  const of = (kind: string) => Object.keys(asRecord(lock[kind] ?? packages[kind]));
  return [
    ...of("npm").map((key) => ["npm", key] as const),
    ...of("jsr").map((key) => ["jsr", key] as const),
  ].flatMap(([ecosystem, key]) => {
    const [, name, version] = /^((?:@[^@/]+\/)?[^@]+)@([^@_]+)/.exec(key) ?? [];
    return name && version ? [{ ecosystem, name, version }] : [];
  });
};

/** Bun's older form, which only Bun reads. */
export const readBinaryBunLock: LockReader = () => {
  throw new Error("it is binary; `bun install --save-text-lockfile` writes one that can be read");
};
