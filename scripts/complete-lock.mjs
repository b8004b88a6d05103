// Makes package-lock.json serve every platform and every registry. npm leaves out optional packages of platforms that
// the registry at hand did not serve, and a later `npm ci` then refuses the lock; each is added here with the version
// its parent names. Download addresses go: the registry each machine is set to is the one to ask.
// Run after every change of dependencies: npm run lock
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const systems = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const processors = [
  "arm64",
  "x64",
  "ia32",
  "arm",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
];

/** Optional packages a parent names exactly and the lock does not hold: `[{ parent, name, version }]`. */
export function missingOptionals(packages) {
  return Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !isResolved(packages, parent, name))
      .map(([name, version]) => ({ parent, name, version })),
  );
}

/** The same lock, complete and without addresses. */
export function completed(lock) {
  const packages = structuredClone(lock.packages);
  for (const { name, version } of missingOptionals(packages))
    packages[`node_modules/${name}`] = { version: exact(version), ...platformOf(name) };
  for (const entry of Object.values(packages))
    if (/^https?:/.test(entry.resolved ?? "")) delete entry.resolved;
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...lock, packages: sorted };
}

/** Looks where Node would: in the parent's own node_modules, then in those above it. */
function isResolved(packages, parent, name) {
  for (let base = parent; ; base = dirname(base)) {
    const prefix = base === "." || base === "" ? "" : `${base}/`;
    if (packages[`${prefix}node_modules/${name}`]) return true;
    if (prefix === "") return false;
  }
}

/** A range cannot be looked up here; its lowest version is one that satisfies it. */
const exact = (version) => version.replace(/^[\^~]/, "");

function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = systems.filter(
    (system) => words.includes(system) || (system === "win32" && words.includes("windows")),
  );
  const cpu = processors.filter((processor) => words.includes(processor));
  const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") ? ["glibc"] : [];
  return {
    ...(cpu.length && { cpu }),
    ...(libc.length && { libc }),
    optional: true,
    ...(os.length && { os }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(dirname(dirname(fileURLToPath(import.meta.url))), "package-lock.json");
  const before = readFileSync(path, "utf8");
  const lock = JSON.parse(before);
  const added = missingOptionals(lock.packages).map(({ name }) => name);
  const after = `${JSON.stringify(completed(lock), null, 2)}\n`;
  if (after !== before) writeFileSync(path, after);
  console.log(
    `package-lock.json: ${Object.keys(lock.packages).length + added.length} packages, added ${added.length}${added.length ? ` (${added.join(", ")})` : ""}`,
  );
}
