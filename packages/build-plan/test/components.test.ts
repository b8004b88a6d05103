import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packageUrl } from "../src/components/component.ts";
import { debianUrl, readDpkgStatus } from "../src/components/debian.ts";
import { readComponents } from "../src/components/read-components.ts";
import { sourceOf } from "./source-of.ts";

const sha512 = Buffer.alloc(64, 1).toString("base64");
const hash = { algorithm: "SHA-512", hex: "01".repeat(64) };

const locks: readonly [file: string, text: string, urls: readonly string[]][] = [
  [
    "package-lock.json",
    JSON.stringify({
      lockfileVersion: 3,
      packages: {
        "": { name: "app", version: "1.0.0" },
        "packages/own": { version: "1.0.0" },
        "node_modules/own": { resolved: "packages/own", link: true },
        "node_modules/@types/node": { version: "24.1.0", integrity: `sha512-${sha512}`, dev: true },
        "node_modules/a/node_modules/b": { version: "2.0.0" },
        "node_modules/alias": { name: "real", version: "3.0.0" },
      },
    }),
    ["pkg:npm/%40types/node@24.1.0", "pkg:npm/b@2.0.0", "pkg:npm/real@3.0.0"],
  ],
  [
    "npm-shrinkwrap.json",
    JSON.stringify({
      lockfileVersion: 1,
      dependencies: { a: { version: "1.0.0", dependencies: { b: { version: "2.0.0" } } } },
    }),
    ["pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0"],
  ],
  [
    "yarn.lock",
    `# yarn lockfile v1\n\n"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n  version "7.28.0"\n  resolved "https://registry.yarnpkg.com/x"\n  integrity sha512-${sha512}\n  dependencies:\n    version "no"\n\nms@2.1.3:\n  version "2.1.3"\n`,
    ["pkg:npm/%40babel/core@7.28.0", "pkg:npm/ms@2.1.3"],
  ],
  [
    "yarn.lock",
    `__metadata:\n  version: 8\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "app@workspace:."\n\n"ms@npm:^2.1.3":\n  version: 2.1.3\n  resolution: "ms@npm:2.1.3"\n\n"alias@npm:real@1":\n  version: 1.2.0\n  resolution: "real@npm:1.2.0"\n`,
    ["pkg:npm/ms@2.1.3", "pkg:npm/real@1.2.0"],
  ],
  [
    "pnpm-lock.yaml",
    `lockfileVersion: '9.0'\n\nimporters:\n  .:\n    dependencies:\n      ms:\n        specifier: 2\n\npackages:\n\n  '@types/node@24.1.0':\n    resolution: {integrity: sha512-${sha512}}\n\n  ms@2.1.3:\n    resolution: {integrity: sha512-${sha512}}\n\nsnapshots:\n  not@1.0.0: {}\n`,
    ["pkg:npm/%40types/node@24.1.0", "pkg:npm/ms@2.1.3"],
  ],
  [
    "pnpm-lock.yaml",
    `lockfileVersion: '6.0'\n\npackages:\n\n  /ms@2.1.3:\n    resolution: {integrity: sha512-${sha512}}\n    dev: true\n\n  /react-dom@18.2.0(react@18.2.0):\n    resolution: {integrity: sha512-${sha512}}\n    dev: false\n`,
    ["pkg:npm/ms@2.1.3", "pkg:npm/react-dom@18.2.0"],
  ],
  [
    "bun.lock",
    `{ "packages": { "ms": ["ms@2.1.3", "", {}, "sha512-${sha512}"], "own": ["own@workspace:own"], }, }`,
    ["pkg:npm/ms@2.1.3"],
  ],
  [
    "deno.lock",
    JSON.stringify({ version: "5", npm: { "ms@2.1.3": {} }, jsr: { "@std/path@1.0.0": {} } }),
    ["pkg:jsr/%40std/path@1.0.0", "pkg:npm/ms@2.1.3"],
  ],
  [
    "requirements.txt",
    "Flask==3.0.0  # the web\nrequests[socks] == 2.32.0 ; python_version > '3'\ndjango>=4\nexact===1.0 --hash=sha256:aa\nany==1.*\n-r other.txt\n",
    ["pkg:pypi/exact@1.0", "pkg:pypi/flask@3.0.0", "pkg:pypi/requests@2.32.0"],
  ],
  [
    "poetry.lock",
    '[[package]]\nname = "Foo_Bar"\nversion = "1.2.0"\n\n[[package]]\nname = "here"\nversion = "0.1"\n[package.source]\ntype = "directory"\nurl = "."\n',
    ["pkg:pypi/foo-bar@1.2.0"],
  ],
  [
    "uv.lock",
    '[[package]]\nname = "app"\nversion = "0.1.0"\nsource = { virtual = "." }\n\n[[package]]\nname = "idna"\nversion = "3.10"\nsource = { registry = "https://pypi.org/simple" }\n',
    ["pkg:pypi/idna@3.10"],
  ],
  [
    "Pipfile.lock",
    JSON.stringify({ default: { idna: { version: "==3.10" } }, develop: { pytest: { version: "==8.0" } } }),
    ["pkg:pypi/idna@3.10", "pkg:pypi/pytest@8.0"],
  ],
  [
    "go.sum",
    "github.com/go-chi/chi/v5 v5.1.0 h1:acVI1TYaD0=\ngithub.com/go-chi/chi/v5 v5.1.0/go.mod h1:DslCQ=\n",
    ["pkg:golang/github.com/go-chi/chi/v5@v5.1.0"],
  ],
  [
    "go.mod",
    'module example.com/app\n\ngo 1.22.0\n\nrequire github.com/go-chi/chi/v5 v5.1.0 // the router\nrequire (\n\tgolang.org/x/sys v0.20.0 // indirect\n\texample.com/own v1.0.0\n\texample.com/old v1.0.0\n\t"example.com/fork" v1.0.0\n)\n\nreplace example.com/own => ./own\nreplace (\n\texample.com/old v1.0.0 => example.com/new v2.0.0+incompatible\n\texample.com/fork v1.0.1 => example.com/other v3.0.0\n)\nexclude example.com/no v1.0.0\n',
    [
      "pkg:golang/example.com/fork@v1.0.0",
      "pkg:golang/example.com/new@v2.0.0%2Bincompatible",
      "pkg:golang/github.com/go-chi/chi/v5@v5.1.0",
      "pkg:golang/golang.org/x/sys@v0.20.0",
    ],
  ],
  [
    "Cargo.lock",
    `[[package]]\nname = "app"\nversion = "0.1.0"\n\n[[package]]\nname = "serde"\nversion = "1.0.1"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "${"ab".repeat(32)}"\n`,
    ["pkg:cargo/serde@1.0.1"],
  ],
  [
    "Gemfile.lock",
    "GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.16.0-x86_64-linux)\n      racc (~> 1.4)\n    rack (3.1.0)\n\nDEPENDENCIES\n  rack\n",
    ["pkg:gem/nokogiri@1.16.0", "pkg:gem/rack@3.1.0"],
  ],
  [
    "composer.lock",
    JSON.stringify({
      packages: [{ name: "monolog/monolog", version: "v3.0.0" }],
      "packages-dev": [{ name: "phpunit/phpunit", version: "11.0.0" }],
    }),
    ["pkg:composer/monolog/monolog@3.0.0", "pkg:composer/phpunit/phpunit@11.0.0"],
  ],
  [
    "mix.lock",
    `%{\n  "jason": {:hex, :jason, "1.4.4", "${"c".repeat(64)}", [:mix], [], "hexpm", "x"},\n}\n`,
    ["pkg:hex/jason@1.4.4"],
  ],
  [
    "manifest.toml",
    'packages = [\n  { name = "gleam_stdlib", version = "0.40.0", source = "hex" },\n  { name = "own", version = "1.0.0", source = "local" },\n]\n',
    ["pkg:hex/gleam_stdlib@0.40.0"],
  ],
  [
    "packages.lock.json",
    JSON.stringify({
      dependencies: {
        "net8.0": { "Newtonsoft.Json": { type: "Direct", resolved: "13.0.3" }, own: { type: "Project" } },
      },
    }),
    ["pkg:nuget/Newtonsoft.Json@13.0.3"],
  ],
  [
    "gradle.lockfile",
    "# notes\norg.slf4j:slf4j-api:2.0.13=runtimeClasspath\nempty=\n",
    ["pkg:maven/org.slf4j/slf4j-api@2.0.13"],
  ],
];

test.each(locks)(
  "%s names each package once, and nothing of the app's own (%#)",
  async (file, text, urls) => {
    await using source = await sourceOf({ [file]: text });
    const { components, files, notes } = await readComponents(source.dir);
    expect(components.map(packageUrl)).toEqual(urls);
    expect([files, notes]).toEqual([[file], []]);
  },
);

test("go.sum tells of a go.mod that is older than those which name every module", async () => {
  const sum = locks.find(([file]) => file === "go.sum")![1];
  const require = "require example.com/direct v1.0.0\n";
  await using old = await sourceOf({ "go.mod": `module a\ngo 1.16\n${require}`, "go.sum": sum });
  const { components, files } = await readComponents(old.dir);
  expect([components.map(packageUrl), files]).toEqual([
    ["pkg:golang/github.com/go-chi/chi/v5@v5.1.0"],
    ["go.sum"],
  ]);
  // go.sum names versions too that nothing is built with.
  await using now = await sourceOf({ "go.mod": `module a\ngo 1.17\n${require}`, "go.sum": sum });
  expect((await readComponents(now.dir)).components.map(packageUrl)).toEqual([
    "pkg:golang/example.com/direct@v1.0.0",
  ]);
});

test("of a pom.xml the direct dependencies of exact versions are told, and that there are others", async () => {
  const dependency = (artifact: string, more: string) =>
    `<dependency><groupId>org.example</groupId><artifactId>${artifact}</artifactId>${more}</dependency>`;
  const pom = `<?xml version="1.0"?><project xmlns="http://maven.apache.org/POM/4.0.0">
    <parent><groupId>org.parent</groupId><version>7.1</version></parent>
    <properties><slf4j.version>\${major}.13</slf4j.version><major>2.0</major><loop>\${loop}</loop></properties>
    <dependencyManagement><dependencies>${dependency("managed", "<version>9</version>")}</dependencies></dependencyManagement>
    <dependencies>
      ${dependency("exact", "<version> 1.0 </version><exclusions><exclusion><artifactId>x</artifactId></exclusion></exclusions>")}
      ${dependency("by-property", "<version>${slf4j.version}</version>")}
      ${dependency("own", "<version>${project.version}</version><optional/>")}
      ${dependency("tests", "<version>5</version><scope>test</scope>")}
      <!-- ${dependency("comment", "<version>1</version>")} -->
      ${dependency("by-parent", "")}${dependency("range", "<version>[1,2)</version>")}
      ${dependency("unknown", "<version>${nobody}</version>")}${dependency("looping", "<version>${loop}</version>")}
    </dependencies>
    <build><plugins><plugin><dependencies>${dependency("plugin", "<version>3</version>")}</dependencies></plugin></plugins></build>
  </project>`;
  await using source = await sourceOf({ "pom.xml": pom });
  const { components, files, notes } = await readComponents(source.dir);
  expect(components.map(packageUrl)).toEqual([
    "pkg:maven/org.example/by-property@2.0.13",
    "pkg:maven/org.example/exact@1.0",
    "pkg:maven/org.example/own@7.1",
    "pkg:maven/org.example/tests@5",
  ]);
  expect(components.filter(({ isDevelopment }) => isDevelopment).map(({ name }) => name)).toEqual([
    "org.example:tests",
  ]);
  expect([files, notes]).toEqual([["pom.xml"], [expect.stringContaining("direct dependencies at most")]]);
});

test("each project of a .NET solution has its lock, and Bun's binary one is told of", async () => {
  const lock = (name: string) =>
    JSON.stringify({ dependencies: { "net8.0": { [name]: { type: "Direct", resolved: "1.0.0" } } } });
  await using source = await sourceOf({
    "src/Api/packages.lock.json": lock("A"),
    "src/Core/packages.lock.json": lock("B"),
    "src/Broken/packages.lock.json": "{",
    "bun.lockb": "",
  });
  const { components, notes } = await readComponents(source.dir);
  expect(components.map(packageUrl)).toEqual(["pkg:nuget/A@1.0.0", "pkg:nuget/B@1.0.0"]);
  expect(notes).toEqual([
    expect.stringMatching(/^bun\.lockb was not read: it is binary/),
    expect.stringMatching(/^src\/Broken\/packages\.lock\.json was not read/),
  ]);
});

test("a lock file's hashes are kept, and what is only for development is marked", async () => {
  await using source = await sourceOf({ "package-lock.json": locks[0]![1] });
  const [types, b] = (await readComponents(source.dir)).components;
  expect(types).toEqual({
    ecosystem: "npm",
    name: "@types/node",
    version: "24.1.0",
    hash,
    isDevelopment: true,
  });
  expect(b).toEqual({ ecosystem: "npm", name: "b", version: "2.0.0" });
});

test("what cannot be told is told", async () => {
  await using none = await sourceOf({ "index.html": "" });
  expect((await readComponents(none.dir)).notes).toEqual([
    "no lock file at the root of the source says which packages it takes",
  ]);
  const sum = locks.find(([file]) => file === "go.sum")![1];
  await using broken = await sourceOf({ "package-lock.json": "{", "go.sum": sum });
  const { components, notes } = await readComponents(broken.dir);
  expect(components).toHaveLength(1);
  expect(notes).toEqual([expect.stringMatching(/^package-lock\.json was not read: /)]);
});

test("the examples' own lock files agree with what their tools say", async () => {
  const examples = fileURLToPath(new URL("../../../examples", import.meta.url));
  const dir = path.join(examples, "express");
  const { components } = await readComponents(dir);
  const listed = execFileSync("npm", ["ls", "--all", "--package-lock-only", "--parseable", "--long"], {
    cwd: dir,
    encoding: "utf8",
  });
  const said = listed.split("\n").flatMap((line) => {
    const [, url] = /node_modules\/[^:]*:((?:@[^@/:]+\/)?[^@:]+@[^:]+)/.exec(line) ?? [];
    return url ? [url] : [];
  });
  expect(said.length).toBeGreaterThan(20);
  expect(components.map(({ name, version }) => `${name}@${version}`).toSorted()).toEqual(
    [...new Set(said)].toSorted(),
  );
});

describe("Debian's packages", () => {
  const status = [
    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u10\nDescription: x\n Package: no\n",
    "Package: removed\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n",
  ].join("\n");

  test("are those that are installed", () => {
    expect(readDpkgStatus(status)).toEqual([
      { name: "libc6", version: "2.36-9+deb12u10", architecture: "amd64" },
    ]);
    expect(readDpkgStatus(status).map(debianUrl)).toEqual([
      "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64",
    ]);
  });
});

describe("a hostile lock file", () => {
  test.each(locks)("%s with values of any type in it is read, or told of (%#)", async (file, text) => {
    const values = [...text.matchAll(/"[^"]*"|\b\d[\d.]*/g)].map(({ index, 0: value }) => ({ index, value }));
    const odd = fc.constantFrom(
      "5",
      "true",
      "null",
      "[]",
      "{}",
      '""',
      '"\\ud800"',
      '"__proto__"',
      "[[{}]]",
      "-1e999",
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...values), odd, async ({ index, value }, instead) => {
        const changed = text.slice(0, index) + instead + text.slice(index + value.length);
        await using source = await sourceOf({ [file]: changed });
        const { components, files, notes } = await readComponents(source.dir);
        expect(files.length + notes.length).toBeGreaterThan(0);
        for (const one of components) expect(packageUrl(one)).toMatch(/^pkg:\w+\/[^@]+@[^@]+$/);
        expect(notes.join()).not.toMatch(/is not a function|undefined|\[object/);
      }),
      { seed: 20_261_201, numRuns: 60 },
    );
  });

  test.each([...new Set([...locks.map(([file]) => file), "pom.xml"])])(
    "%s of any text is read in time and memory that grow with its size",
    async (file) => {
      const seed = Date.now() % 2 ** 31;
      const piece = fc.constantFrom(
        '"',
        "'",
        " ",
        "  ",
        "    ",
        "\n",
        ":",
        "@",
        "/",
        "=",
        "==",
        "(",
        ")",
        "{",
        "[",
        "\\",
        "a",
        "packages:",
        "version",
        "integrity: sha512-",
        "\u{1F600}",
        "{:hex, :",
        "<",
        "</",
        ">",
        "<project>",
        "<properties>",
        "<dependencies><dependency><version>",
        "${a}",
        "require (",
        "replace a => ",
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(piece, { maxLength: 40 }),
          fc.integer({ min: 1, max: 20_000 }),
          async (parts, times) => {
            const dir = await mkdtemp(path.join(tmpdir(), "lock-"));
            try {
              await writeFile(path.join(dir, file), parts.join("").repeat(times).slice(0, 400_000));
              expect((await readComponents(dir)).files.length).toBeLessThanOrEqual(1);
            } finally {
              await rm(dir, { recursive: true, force: true });
            }
          },
        ),
        { seed, numRuns: 25 },
      );
    },
  );
});
