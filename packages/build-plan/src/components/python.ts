import { parse as parseToml } from "smol-toml";
import { asList, asRecord, asText, hexHash, type Component, type LockReader } from "./component.ts";

/** A parser of TOML is thorough, and so takes its time. */
const tomlBytesMax = 4 * 1024 * 1024;
function tables(text: string, name: string): unknown[] {
  if (text.length > tomlBytesMax) throw new Error("it is too large");
  return asList(parseToml(text)[name]);
}

/** PyPI takes `Foo_Bar` and `foo-bar` for one. */
const pypi = (name: string, version: string, more: Partial<Component> = {}): Component => ({
  ecosystem: "pypi",
  name: name.toLowerCase().replaceAll(/[-_.]+/g, "-"),
  version,
  ...more,
});

/** Only what is pinned: of `flask>=2` nobody knows which one it will be. */
export const readRequirements: LockReader = (text) =>
  text.split("\n").flatMap((line) => {
    const [left = "", right = ""] = line.split("#", 1)[0]!.split(/===?/, 2);
    const name = left.split("[", 1)[0]!.trim();
    const version = right.trim().split(/[\s;,\\]/, 1)[0]!;
    return /^[A-Za-z0-9][\w.-]*$/.test(name) && /^[\w.!+-]+$/.test(version) ? [pypi(name, version)] : [];
  });

/** poetry.lock, uv.lock and pdm.lock: each a list of packages. */
export const readPythonLock: LockReader = (text) =>
  tables(text, "package").flatMap((value) => {
    const { name, version, source, category } = asRecord(value);
    const { virtual, editable, type } = asRecord(source);
    // The app itself, or a folder of it.
    if (virtual !== undefined || editable !== undefined || type === "directory" || !asText(version))
      return [];
    return [pypi(asText(name), asText(version), category === "dev" ? { isDevelopment: true } : {})];
  });

/** Pipenv's, in JSON. */
export const readPipfileLock: LockReader = (text) => {
  const lock = asRecord(JSON.parse(text));
  return (["default", "develop"] as const).flatMap((kind) =>
    Object.entries(asRecord(lock[kind])).flatMap(([name, value]) => {
      const version = asText(asRecord(value)["version"]).replace(/^===?/, "");
      return version ? [pypi(name, version, kind === "develop" ? { isDevelopment: true } : {})] : [];
    }),
  );
};

/** Cargo's: a list of packages in TOML as well. The app's own have no source. */
export const readCargoLock: LockReader = (text) =>
  tables(text, "package").flatMap((value) => {
    const { name, version, source, checksum } = asRecord(value);
    if (!asText(source)) return [];
    return [
      { ecosystem: "cargo", name: asText(name), version: asText(version), ...hexHash("SHA-256", checksum) },
    ];
  });

/** Gleam's manifest.toml; its packages are Hex's. */
export const readGleamManifest: LockReader = (text) =>
  tables(text, "packages").flatMap((value) => {
    const { name, version, source } = asRecord(value);
    return source === "hex" ? [{ ecosystem: "hex", name: asText(name), version: asText(version) }] : [];
  });
