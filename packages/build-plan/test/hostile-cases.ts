import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

/** A source made to be slow or large to read: what it consists of, and what is said of it. */
export interface HostileCase {
  readonly files: () => Record<string, string>;
  /** Links by their names. */
  readonly links?: () => Record<string, string>;
  readonly ends: RegExp;
}

const planned = /^planned$/;
const lineBreaks = "\n".repeat(1_900_000);
const many = <T>(length: number, make: (index: number) => T): T[] =>
  Array.from({ length }, (_, index) => make(index));
/** As many lines as so many bytes hold. */
function linesWithin(bytesMax: number, line: (index: number) => string): string {
  let text = line(0);
  for (let at = 1; text.length + line(at).length < bytesMax; at += 1) text += `\n${line(at)}`;
  return text;
}
const filled = (entries: readonly (readonly [string, string])[]): Record<string, string> =>
  Object.fromEntries(entries);
const nodeApp = { "package.json": '{"scripts":{"start":"node a.js"}}' };
const braces = (letter: string) => `{${many(64, () => letter).join(",")}}`;
const linked = (target: (index: number) => string) => () =>
  filled(many(2, (folder) => many(6_000, (at) => [`d${folder}/l${at}`, target(at)] as const)).flat());

export const hostileCases: Record<string, HostileCase> = {
  "a package.json of 50 MB": {
    files: () => ({ "package.json": " ".repeat(50 * 1024 ** 2) }),
    ends: /package\.json is 50 MB/,
  },
  "a package.json of one unclosed string": {
    files: () => ({ "package.json": '"' + '\\"'.repeat(900_000) }),
    ends: /package\.json is not valid JSON/,
  },
  "a package.json of unclosed comments": {
    files: () => ({ "package.json": "/*,".repeat(600_000) }),
    ends: /package\.json is not valid JSON/,
  },
  "a package.json nested without end": {
    files: () => ({ "package.json": '{"a":'.repeat(300_000) }),
    ends: /package\.json is not valid JSON/,
  },
  "invalid UTF-8 of 2 MB": {
    files: () => ({ "package.json": "\ud800".repeat(600_000), Procfile: "web: a" }),
    ends: /package\.json is not valid JSON/,
  },
  "a YAML bomb of aliases": {
    files: () => ({
      "package.json": "{}",
      "pnpm-workspace.yaml": many(30, (at) =>
        at === 0 ? "a0: &a0 [x, x]" : `a${at}: &a${at} [${many(9, () => `*a${at - 1}`).join(", ")}]`,
      ).join("\n"),
    }),
    ends: /pnpm-workspace\.yaml is not valid YAML: .*alias/i,
  },
  "YAML of many keys": {
    files: () => ({
      ...nodeApp,
      "pnpm-workspace.yaml": linesWithin(40 * 1024, (at) => `a${at}: 1`),
    }),
    ends: planned,
  },
  "YAML of a long list": {
    files: () => ({ ...nodeApp, "pnpm-workspace.yaml": `packages: [${"a,".repeat(20_000)}]` }),
    ends: planned,
  },
  "YAML of half a megabyte": {
    files: () => ({ ...nodeApp, "pnpm-workspace.yaml": `packages: [${"a,".repeat(250_000)}]` }),
    ends: /pnpm-workspace\.yaml is not valid YAML: it is larger than 40 KB/,
  },
  "YAML in every member": {
    files: () => ({
      "package.json": '{"workspaces":["m/*"]}',
      ...filled(many(20, (at) => [`m/m${at}/package.json5`, `{a: [${"a,".repeat(20_000)}]}`])),
    }),
    ends: /together more than the planner reads/,
  },
  "TOML of many tables": {
    files: () => ({ "pyproject.toml": many(150_000, (at) => `[a${at}]`).join("\n"), "main.py": "" }),
    ends: /pyproject\.toml is not valid TOML: it is larger than 256 KB/,
  },
  "TOML of as many tables as are read": {
    files: () => ({
      "pyproject.toml": linesWithin(256 * 1024, (at) => `[a${at}]`),
      "main.py": "",
      "uv.lock": linesWithin(256 * 1024, (at) => `[a${at}]`),
    }),
    ends: planned,
  },
  "TOML in every folder": {
    files: () =>
      filled(many(50, (at) => [`f${at}/pyproject.toml`, linesWithin(250_000, (key) => `a${key} = 1`)])),
    ends: /no app was found/,
  },
  "line breaks for requirements.txt": {
    files: () => ({ "requirements.txt": lineBreaks }),
    ends: /requirements\.txt has more than 5000 lines/,
  },
  "requirements without end": {
    files: () => ({ "requirements.txt": "a\n".repeat(950_000), "main.py": "" }),
    ends: /requirements\.txt has more than 5000 lines/,
  },
  "requirements in every folder": {
    files: () => filled(many(800, (at) => [`f${at % 40}/r${at}/requirements.txt`, "a\n".repeat(4_999)])),
    ends: /no app was found/,
  },
  "line breaks for a Gemfile": { files: () => ({ Gemfile: lineBreaks }), ends: /nothing says how to start/ },
  "line breaks for a CMakeLists.txt": {
    files: () => ({ "CMakeLists.txt": lineBreaks }),
    ends: /nothing says how to start/,
  },
  "line breaks for a meson.build": {
    files: () => ({ "meson.build": lineBreaks }),
    ends: /nothing says how to start/,
  },
  "line breaks for a .sdkmanrc": {
    files: () => ({ "pom.xml": "<a/>", ".sdkmanrc": lineBreaks }),
    ends: planned,
  },
  "line breaks for a .tool-versions": {
    files: () => ({ ...nodeApp, ".tool-versions": lineBreaks }),
    ends: /\.tool-versions has more than 5000 lines/,
  },
  "line breaks for a .dockerignore": {
    files: () => ({ ...nodeApp, ".dockerignore": lineBreaks }),
    ends: /\.dockerignore has more than 5000 lines/,
  },
  "line breaks for a mix.exs": {
    files: () => ({ "mix.exs": `app: :a\nelixir: "${" ".repeat(1_800_000)}` }),
    ends: planned,
  },
  "a gradle wrapper of one key": {
    files: () => ({
      "build.gradle": "",
      "gradle/wrapper/gradle-wrapper.properties": "distributionUrl=".repeat(110_000),
    }),
    ends: planned,
  },
  "a main.py that unpacks without end": {
    files: () => ({ "requirements.txt": "flask\ngunicorn", "main.py": "a,\n".repeat(600_000) }),
    ends: planned,
  },
  "a version of 2 MB": {
    files: () => ({ ...nodeApp, ".mise.toml": `[tools]\nnode = "1${" ".repeat(200_000)}x"` }),
    ends: planned,
  },
  "a Procfile of 150,000 processes": {
    files: () => ({ Procfile: many(150_000, (at) => `p${at}: x`).join("\n"), "start.sh": "" }),
    ends: /Procfile has more than 5000 lines/,
  },
  "a Procfile of as many processes as are read": {
    files: () => ({ Procfile: many(5_000, (at) => `p${at}: x`).join("\n"), "start.sh": "" }),
    ends: planned,
  },
  "a railpack.json of 100,000 steps": {
    files: () => ({
      ...nodeApp,
      "railpack.json": JSON.stringify({ steps: filled(many(100_000, (at) => [`s${at}`, ""])) }),
    }),
    ends: /railpack\.json holds more than 2000 values/,
  },
  "a railpack.json of wrong commands": {
    files: () => ({ ...nodeApp, "railpack.json": `{"steps":{"a":{"commands":[${"1,".repeat(400_000)}1]}}}` }),
    ends: /railpack\.json holds more than 2000 values/,
  },
  "a railpack.json of as many wrong commands as are read": {
    files: () => ({ ...nodeApp, "railpack.json": `{"steps":{"a":{"commands":[${"1,".repeat(1_900)}1]}}}` }),
    ends: /railpack\.json does not hold what it may/,
  },
  "a starform.json of unknown keys": {
    files: () => ({
      "index.html": "",
      "starform.json": JSON.stringify(filled(many(20_000, (at) => [`k${at}`, ""]))),
    }),
    ends: /starform\.json was not accepted/,
  },
  "links in rings": { files: () => nodeApp, links: linked((at) => `l${(at + 1) % 6_000}`), ends: planned },
  "links in chains": {
    files: () => nodeApp,
    links: linked((at) => (at % 39 === 38 ? "../package.json" : `l${at + 1}`)),
    ends: planned,
  },
  "workspace patterns of many alternatives": {
    files: () => ({
      "package.json": JSON.stringify({
        workspaces: many(200, (at) => `p/${braces("a")}${braces("b")}${at}`),
      }),
      ...filled(many(300, (at) => [`p/x${at}/package.json`, "{}"])),
    }),
    ends: /nothing says how to start/,
  },
  "Cargo members of many alternatives": {
    files: () => ({
      "Cargo.toml": `[workspace]\nmembers=[${many(200, () => `"${braces("a")}${braces("b")}*"`).join(",")}]`,
      ...filled(many(300, (at) => [`m${at}/Cargo.toml`, ""])),
    }),
    ends: /nothing says how to start/,
  },
  "a workspace of 2,000 members in a chain": {
    files: () => ({
      "package.json": '{"workspaces":["m/*"],"scripts":{"start":"x"}}',
      ...filled(
        many(2_000, (at) => [
          `m/f${at}/package.json`,
          JSON.stringify({
            name: `f${at}`,
            scripts: { start: "x", build: "x" },
            dependencies: { [`f${at + 1}`]: "*" },
          }),
        ]),
      ),
    }),
    ends: planned,
  },
  "5,000 folders with an app each": {
    files: () => ({ ...nodeApp, ...filled(many(4_990, (at) => [`f${at}/package.json`, "{}"])) }),
    ends: planned,
  },
  "a lock file of nothing but lists": {
    files: () => ({ ...nodeApp, "package-lock.json": `{"a":[${"[],".repeat(1_300_000)}[]]}` }),
    ends: planned,
  },
  "lock files in every folder": {
    files: () =>
      filled(
        many(40, (at) => [
          [`f${at}/package.json`, '{"scripts":{"start":"x"}}'] as const,
          [`f${at}/package-lock.json`, `{"a":[${"[],".repeat(300_000)}[]]}`] as const,
        ]).flat(),
      ),
    ends: /there are some in f0, f1/,
  },
};

const closed = (open: string, inner: string, close: string, depth: number): string =>
  open.repeat(depth) + inner + close.repeat(depth);

/** What a machine's own files, and texts that mean something to JavaScript alone, would do to a reader of them. */
export const strangeCases: Record<string, HostileCase> = {
  "a package.json of 100,000 tables in each other": {
    files: () => ({ "package.json": closed('{"a":', "1", "}", 100_000) }),
    ends: /nothing says how to start/,
  },
  "workspaces of 500,000 lists in each other": {
    files: () => ({ "package.json": `{"workspaces":${closed("[", "", "]", 500_000)}}` }),
    ends: /nothing says how to start/,
  },
  "a railpack.json of 100,000 tables in each other": {
    files: () => ({ ...nodeApp, "railpack.json": closed('{"steps":', "1", "}", 100_000) }),
    ends: /railpack\.json holds more than 2000 values/,
  },
  "a railpack.json of nearly as many as are read, in each other": {
    files: () => ({ ...nodeApp, "railpack.json": closed('{"steps":', "1", "}", 1_900) }),
    ends: /railpack\.json does not hold what it may/,
  },
  "YAML of version 1.1 whose tables are merged without end": {
    files: () => ({
      "package.json": "{}",
      "pnpm-workspace.yaml": `%YAML 1.1\n---\n${many(30, (at) =>
        at === 0 ? "a0: &a0 {x: 1}" : `a${at}: &a${at}\n  <<: [${many(9, () => `*a${at - 1}`).join(", ")}]`,
      ).join("\n")}`,
    }),
    ends: /pnpm-workspace\.yaml is not valid YAML: .*alias/i,
  },
  "YAML that holds itself": {
    files: () => ({ "package.json": "{}", "pnpm-workspace.yaml": "packages: &a [*a]" }),
    ends: /nothing says how to start/,
  },
  "YAML of keys in keys": {
    files: () => ({ "package.json": "{}", "pnpm-workspace.yaml": "? ".repeat(19_000) }),
    ends: /pnpm-workspace\.yaml is not valid YAML/,
  },
  "TOML of 100,000 lists in each other": {
    files: () => ({ "pyproject.toml": `a = ${closed("[", "", "]", 100_000)}`, "uv.lock": "" }),
    ends: /pyproject\.toml is not valid TOML: .*nested/,
  },
  "TOML of a key of 120,000 parts": {
    files: () => ({ "pyproject.toml": `a${".a".repeat(120_000)} = 1`, "main.py": "", "uv.lock": "" }),
    ends: planned,
  },
  "a lock file of 100,000 lists in each other": {
    files: () => ({ "pyproject.toml": "", "main.py": "", "uv.lock": `a = ${closed("[", "", "]", 100_000)}` }),
    ends: /uv\.lock is broken: .*nested/,
  },
  "keys that are the language's own": {
    files: () => ({
      "package.json":
        '{"__proto__":{"scripts":{"start":"stolen"}},"scripts":{"__proto__":"stolen","start":"node a.js"},"dependencies":{"constructor":"1","__proto__":"1"}}',
      "railpack.json":
        '{"steps":{"__proto__":{"commands":["stolen"]},"toString":{"commands":["true"]}},"packages":{"__proto__":"1"},"caches":{"__proto__":{"directory":"/x"}},"deploy":{"variables":{"__proto__":"stolen"}}}',
    }),
    ends: planned,
  },
  "a starform.json of keys that are the language's own": {
    files: () => ({ ...nodeApp, "starform.json": '{"__proto__":{"startCommand":"stolen"}}' }),
    ends: /starform\.json was not accepted: __proto__ is not a key here/,
  },
  "a NUL in a Procfile": {
    files: () => ({ Procfile: "web: run\0me" }),
    ends: /"run\ufffdme" holds a NUL or half a character/,
  },
  "an escaped NUL in a railpack.json": {
    files: () => ({ ...nodeApp, "railpack.json": String.raw`{"deploy":{"variables":{"A\u0000":"b"}}}` }),
    ends: /"A\ufffd" holds a NUL or half a character/,
  },
  "a provider of half a character": {
    files: () => ({ ...nodeApp, "railpack.json": String.raw`{"provider":"\ud800"}` }),
    ends: /asks for the provider \ufffd, which does not exist/,
  },
  "an escaped NUL in a starform.json": {
    files: () => ({ ...nodeApp, "starform.json": String.raw`{"startCommand":"a\u0000b"}` }),
    ends: /starform\.json was not accepted: "a\ufffdb" holds a NUL or half a character/,
  },
  "links to devices and to what the machine tells of itself": {
    files: () => nodeApp,
    links: () => ({
      Procfile: "/dev/zero",
      "starform.json": "/dev/zero",
      "railpack.json": "/proc/self/environ",
      Dockerfile: "/proc/kcore",
      ".nvmrc": "/proc/self/fd/0",
      packages: "/proc/self/root",
      apps: "/",
    }),
    ends: planned,
  },
  "a .dockerignore of one line of 1.8 MB": {
    files: () => ({ ...nodeApp, ".dockerignore": "**a".repeat(600_000) }),
    ends: planned,
  },
  "long lines for every expression": {
    files: () => ({
      "Gemfile.lock": `RUBY VERSION\n${" ".repeat(900_000)}`,
      Gemfile: 'path: "'.repeat(120_000),
    }),
    ends: /nothing says how to start/,
  },
  "a go.mod of nothing but its first word": {
    files: () => ({ "go.mod": "go\n".repeat(600_000) }),
    ends: planned,
  },
  "a pom.xml of one open tag": {
    files: () => ({ "pom.xml": `<java.version>${" ".repeat(1_800_000)}` }),
    ends: planned,
  },
  "a mix.lock of closing braces": {
    files: () => ({ "mix.exs": "app: :a", "mix.lock": `%{${"}".repeat(1_800_000)}x` }),
    ends: /mix\.lock is broken/,
  },
};

/** Writes the source of a case into a folder. */
export function writeCase(dir: string, { files, links }: HostileCase): void {
  const at = (name: string): string => {
    const file = path.join(dir, name);
    mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  for (const [name, text] of Object.entries(files())) writeFileSync(at(name), text);
  for (const [name, target] of Object.entries(links?.() ?? {})) symlinkSync(target, at(name));
}
