import { expect, test } from "vitest";
import { planned } from "./planned.ts";

const node = (more: unknown) => ({ "package.json": { scripts: { start: "node ." }, ...(more as object) } });

test.each([
  ["ruby", "4.0", { Gemfile: 'ruby "~> 4.0"\n', "config.ru": "" }],
  ["ruby", "3.4", { Gemfile: 'ruby ">= 3.2"\n', "config.ru": "" }],
  ["ruby", "5.1", { Gemfile: 'ruby "~> 5.1"\n', "config.ru": "" }],
  ["elixir", "1.20", { "mix.exs": '[app: :a, elixir: "~> 1.20"]' }],
  ["java", "21", { "pom.xml": "<!-- <java.version>8</java.version> --><java.version>21</java.version>" }],
  ["java", "21", { "pom.xml": "<a/><!-- <java.version>8</java.version>" }],
  ["node", "22", node({ devEngines: { runtime: { name: "node", version: "^22.1" } } })],
  ["node", "20", node({ devEngines: { runtime: [{ name: "bun" }, { name: "node", version: "20" }] } })],
  ["node", "24", node({ devEngines: { runtime: [5, null, { name: [] }] } })],
  ["pnpm", "10", node({ devEngines: { packageManager: { name: "pnpm", version: "^10.0.0" } } })],
  [
    "node",
    "18",
    { ...node({}), "mise.local.toml": '[tools]\nnode = "18"\n', "mise.toml": '[tools]\nnode = "20"\n' },
  ],
])("%s %s is chosen where the source asks for it (%j)", async (tool, version, files) => {
  expect((await planned(files)).info.versions[tool]?.version).toBe(version);
});

test("a Python that is no CPython is not the reason of another's version", async () => {
  const pythonOf = async (said: string) =>
    (await planned({ "main.py": "", ".python-version": said })).info.versions["python"];
  expect(await pythonOf("miniconda3-latest")).toEqual({
    version: "3.13",
    reason: ".python-version says miniconda3-latest, which is no version; this is the default",
  });
  expect(await pythonOf("pypy3.10")).toMatchObject({ version: "pypy3.10" });
  expect(await pythonOf("cpython-3.12")).toMatchObject({ version: "3.12" });
});
