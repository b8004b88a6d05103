import { expect, test } from "vitest";
import { versionsMayChange } from "../src/plan-draft.ts";
import { planned, refused } from "./planned.ts";

const listed = { "requirements.txt": "" };

test("a Python app whose main file lies in a folder is refused with the command that starts it", async () => {
  const inSrc = { ...listed, "src/main.py": "import db\n", "src/db.py": "", "tests/main.py": "" };
  const { message, hint } = await refused(inSrc);
  expect(message).toBe("this is Python, but nothing says how to start it");
  expect(hint).toContain("src/main.py, give the start command `python3 src/main.py`");
  const { plan } = await planned({ ...inSrc, "starform.json": { startCommand: "python3 src/main.py" } });
  expect(plan.deploy.startCommand).toBe("python3 src/main.py");
  for (const text of ["from app.db import url\n", "import app\n", "  from . import db\n"])
    expect((await refused({ ...listed, "app/main.py": text })).hint).toContain("`python3 -m app.main`");
  expect((await refused({ ...listed, "app/main.py": "from apply import db\n" })).hint).toContain(
    "`python3 app/main.py`",
  );
  // Of several the usual folder's.
  expect((await refused({ ...listed, "bot/main.py": "", "src/bot.py": "" })).hint).toContain("src/bot.py");
  expect((await refused({ ...listed, "tests/main.py": "" })).hint).toContain("Add a main.py");
});

test("a folder's main file and nothing at the root is refused with both ways to start it", async () => {
  const { message, hint } = await refused({ "src/main.py": "" });
  expect(message).toBe("no app was found at the root of the source, but there is one in src");
  expect(hint).toBe(
    "Set the service's root directory to src, where it starts with `python3 main.py`. To start src/main.py from the root, add a requirements.txt there (it may be empty), and give the start command `python3 src/main.py`.",
  );
  const fromFolder = await planned({ "src/main.py": "" }, { rootDirectory: "src" });
  expect(fromFolder.plan.deploy.startCommand).toBe("python3 main.py");
});

const poetry = "[tool.poetry.dependencies]\nflask = '^3'\n";
const project = '[project]\ndependencies = ["flask"]\n';
test.each([
  ["Poetry's table", { "pyproject.toml": poetry }, "there is no lock file"],
  ["a project's table", { "pyproject.toml": project }, "there is no lock file"],
  ["a Pipfile", { Pipfile: '[packages]\nflask = "*"\n' }, "there is no lock file"],
  [
    "requirements.txt with ranges",
    { "requirements.txt": "flask>=3\nredis[hiredis] ; python_version > '3'\nidna==3.10\n" },
    "requirements.txt names no exact version of flask and 1 more",
  ],
])("without a lock the plan tells that versions may change: %s", async (_what, files, why) => {
  const { info } = await planned({ "main.py": "", ...files });
  expect(info.decisions).toContainEqual(
    expect.objectContaining({ what: versionsMayChange, reason: expect.stringContaining(`because ${why}`) }),
  );
  const own = { "railpack.json": { steps: { install: { commands: ["true"] } } } };
  const { info: ofOwn } = await planned({ "main.py": "", ...files, ...own });
  expect(JSON.stringify(ofOwn.decisions)).not.toContain(versionsMayChange);
});

test.each([
  ["poetry.lock", { "pyproject.toml": poetry, "poetry.lock": "" }],
  ["Pipfile.lock", { Pipfile: "", "Pipfile.lock": "{}" }],
  [
    "requirements.txt",
    {
      "requirements.txt":
        "# all\nflask == 3.0.0 # the web\nidna===3.10\n\nredis[hiredis]==5.0 ; python_version > '3'\n-r more.txt\nown @ https://example.com/a.whl\n",
    },
  ],
])("with a lock it does not: %s", async (_what, files) => {
  const { info } = await planned({ "main.py": "", ...files });
  expect(JSON.stringify(info.decisions)).not.toContain(versionsMayChange);
});
