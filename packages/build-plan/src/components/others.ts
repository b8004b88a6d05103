import { asList, asRecord, asText, type Component, hexHash, type LockReader } from "./component.ts";

/** Bundler's: the lines of four spaces below `specs:`; those of six are what these need. */
export const readGemfileLock: LockReader = (text) => {
  const found: Component[] = [];
  let isInSpecs = false;
  for (const line of text.split("\n")) {
    if (/^\S/.test(line)) isInSpecs = false;
    if (/^ {2}specs:/.test(line)) isInSpecs = true;
    const [, name, version] = isInSpecs ? (/^ {4}(\S+) \(([^)]+)\)/.exec(line) ?? []) : [];
    if (name && version)
      found.push({ ecosystem: "gem", name, version: version.replace(/-(x86|aarch|arm|java).*$/, "") });
  }
  return found;
};

export const readComposerLock: LockReader = (text) => {
  const lock = asRecord(JSON.parse(text));
  return (["packages", "packages-dev"] as const).flatMap((kind) =>
    asList(lock[kind]).flatMap((value) => {
      const { name, version, dist } = asRecord(value);
      return [
        {
          ecosystem: "composer",
          name: asText(name),
          version: asText(version).replace(/^v(?=\d)/, ""),
          ...hexHash("SHA-1", asRecord(dist)["shasum"]),
          ...(kind === "packages-dev" ? { isDevelopment: true } : {}),
        },
      ];
    }),
  );
};

/** mix.lock is Elixir; each line of it is `"name": {:hex, :name, "1.2.3", "<sha256>", …`. */
export const readMixLock: LockReader = (text) =>
  [...text.matchAll(/\{:hex, :"?([\w@]+)"?, "([^"]+)", "([0-9a-f]{64})"/g)].map(([, name, version]) => ({
    ecosystem: "hex",
    name: name!,
    version: version!,
  }));

/** packages.lock.json of .NET; one framework's list may repeat another's. */
export const readNuGetLock: LockReader = (text) =>
  Object.values(asRecord(asRecord(JSON.parse(text))["dependencies"])).flatMap((framework) =>
    Object.entries(asRecord(framework)).flatMap(([name, value]) => {
      const { resolved, type } = asRecord(value);
      return type === "Project" || !asText(resolved)
        ? []
        : [{ ecosystem: "nuget", name, version: asText(resolved) }];
    }),
  );

/** gradle.lockfile: `group:artifact:version=configurations`. */
export const readGradleLock: LockReader = (text) =>
  text.split("\n").flatMap((line) => {
    const [, group, artifact, version] = /^([^#:\s]+):([^:\s]+):([^=:\s]+)=/.exec(line) ?? [];
    return group && artifact && version
      ? [{ ecosystem: "maven", name: `${group}:${artifact}`, version }]
      : [];
  });
