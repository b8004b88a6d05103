import { expect, test } from "vitest";
import { commandsOf, planned, refused } from "./planned.ts";

const startOf = async (files: Record<string, unknown>) => (await planned(files)).plan.deploy.startCommand;

test("a site that Nuxt generates is served, by whichever of its commands", async () => {
  for (const build of ["nuxt generate", "nuxi generate"])
    expect(await startOf({ "package.json": { scripts: { build }, dependencies: { nuxt: "4" } } })).toBe(
      "node .starform/serve.mjs .output/public --spa",
    );
});

test("a CMake program that is named by a variable is started by its value", async () => {
  const program = "add_executable(${TGT} main.cpp)\n";
  expect(await startOf({ "CMakeLists.txt": `project(foo)\nset(TGT bar)\n${program}` })).toBe("./build/bar");
  expect(await startOf({ "CMakeLists.txt": "project(foo)\nadd_executable(${PROJECT_NAME} a.cpp)\n" })).toBe(
    "./build/foo",
  );
});

test("what Poetry's table lists is installed where there is no lock file", async () => {
  const poetry = "[tool.poetry]\nname = 'a'\n[tool.poetry.dependencies]\npython = '^3.11'\n";
  const { plan } = await planned({ "pyproject.toml": `${poetry}flask = '^3'\n`, "main.py": "" });
  expect(commandsOf(plan, "install")).toEqual([
    "poetry install --no-interaction --no-ansi --only main --no-root",
  ]);
  const none = await planned({ "pyproject.toml": poetry, "main.py": "" });
  expect(commandsOf(none.plan, "install")).toEqual([]);
});

test("an app in FastAPI's own layout is started as the module it is", async () => {
  const app = { "app/main.py": "api = FastAPI()\n" };
  expect(await startOf({ ...app, "requirements.txt": "fastapi\nuvicorn\n" })).toBe(
    "uvicorn app.main:api --host 0.0.0.0 --port ${PORT:-8000}",
  );
  expect(await startOf({ ...app, "requirements.txt": "fastapi[standard]\n" })).toBe(
    "fastapi run app/main.py --host 0.0.0.0 --port ${PORT:-8000}",
  );
});

test("a Django app gets the server it is started with, where it does not bring it", async () => {
  const django = {
    "manage.py": "",
    "shop/settings.py": 'WSGI_APPLICATION = "shop.wsgi.application"\n',
  };
  const withPip = await planned({ ...django, "requirements.txt": "django\n" });
  expect(withPip.plan.deploy.startCommand).toContain("gunicorn --bind");
  expect(commandsOf(withPip.plan, "install").at(-1)).toBe("pip install gunicorn");
  expect(withPip.info.decisions).toContainEqual(
    expect.objectContaining({ what: "install gunicorn", reason: expect.stringContaining("not among") }),
  );
  const locked = { "pyproject.toml": '[project]\ndependencies = ["django"]\n', "uv.lock": "version = 1\n" };
  const withUv = await planned({ ...django, ...locked });
  expect(commandsOf(withUv.plan, "build")).toEqual([
    "uv sync --locked --no-dev --no-editable",
    "uv pip install gunicorn",
  ]);
  const pipenv = await planned({ ...django, Pipfile: '[packages]\ndjango = "*"\n' });
  expect(commandsOf(pipenv.plan, "install").join()).not.toContain("gunicorn");
  expect(pipenv.info.decisions).toContainEqual(
    expect.objectContaining({ reason: expect.stringContaining("add it with pipenv") }),
  );
});

test("nothing is added to a Django app that brings its server, or is started otherwise", async () => {
  const django = {
    "manage.py": "",
    "shop/settings.py": 'WSGI_APPLICATION = "shop.wsgi.application"\n',
  };
  for (const more of [
    { "requirements.txt": "django\ngunicorn\n" },
    { "requirements.txt": "django\n", Procfile: "web: python3 manage.py runserver" },
    { "requirements.txt": "django\n", "railpack.json": { deploy: { startCommand: "python3 manage.py" } } },
  ]) {
    const { plan } = await planned({ ...django, ...more });
    expect(commandsOf(plan, "install")).toContain("pip install -r requirements.txt");
    expect(JSON.stringify(plan.steps)).not.toContain("install gunicorn");
  }
});

const web = '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net9.0</TargetFramework></Project>';
const solution = {
  "Shop.sln": "",
  "src/Shop.Core/Shop.Core.csproj": '<Project Sdk="Microsoft.NET.Sdk"></Project>',
  "tests/Shop.Tests/Shop.Tests.csproj":
    '<Project Sdk="Microsoft.NET.Sdk"><OutputType>Exe</OutputType><PackageReference Include="Microsoft.NET.Test.Sdk" /></Project>',
};

test("of a .NET solution the one project that makes a program is published", async () => {
  const { plan, info } = await planned({ ...solution, "src/Shop.Api/Shop.Api.csproj": web });
  expect(commandsOf(plan, "build")).toEqual([
    "dotnet publish src/Shop.Api/Shop.Api.csproj --no-restore -c Release -o out",
  ]);
  expect(plan.deploy.startCommand).toMatch(/ \.\/out\/Shop\.Api$/);
  expect(info.versions["dotnet"]?.version).toBe("9.0");
});

test("a .NET solution of several programs is refused with their names", async () => {
  const two = { "src/Api/Api.csproj": web, "src/Admin/Admin.csproj": `<!-- Exe -->${web}` };
  expect((await refused({ ...solution, ...two })).hint).toContain(
    "to run: src/Admin/Admin.csproj, src/Api/Api.csproj.",
  );
  const variables = { RAILPACK_DOTNET_PROJECT: "src/Api/Api.csproj" };
  const { plan } = await planned({ ...solution, ...two }, { variables });
  expect(plan.deploy.startCommand).toMatch(/ \.\/out\/Api$/);
  const wrong = { RAILPACK_DOTNET_PROJECT: "src/Api.csproj" };
  expect((await refused({ ...solution, ...two }, { variables: wrong })).message).toBe(
    "RAILPACK_DOTNET_PROJECT names src/Api.csproj, which is not in the source",
  );
});

test("a .NET project that refers outside of its root directory is refused with the one to set", async () => {
  const refers = (...paths: string[]) =>
    `<Project Sdk="Microsoft.NET.Sdk.Web">${paths.map((path) => `<ProjectReference Include="${path}" />`).join("")}</Project>`;
  const files = {
    "src/Api/Api.csproj": refers("Data\\Data.csproj", "$(Root)../Unknown/Unknown.csproj"),
    "src/Api/Data/Data.csproj": refers("..\\..\\Shared\\Shared.csproj"),
    "src/Shared/Shared.csproj": '<Project Sdk="Microsoft.NET.Sdk"></Project>',
  };
  const { message, hint } = await refused(files, { rootDirectory: "src/Api" });
  expect(message).toBe(
    "Api.csproj refers to ../Shared/Shared.csproj, which is outside of the root directory src/Api",
  );
  expect(hint).toBe(
    "Set the root directory to src, which holds both, and RAILPACK_DOTNET_PROJECT to Api/Api.csproj.",
  );
  // What it says is what helps.
  const { plan } = await planned(files, {
    rootDirectory: "src",
    variables: { RAILPACK_DOTNET_PROJECT: "Api/Api.csproj" },
  });
  expect(commandsOf(plan, "install")).toEqual(["dotnet restore Api/Api.csproj"]);

  const far = { "api/Api.csproj": refers("../lib/Lib.csproj") };
  expect((await refused(far, { rootDirectory: "api" })).hint).toContain(
    "root directory to ., which holds both",
  );
  const away = await refused({ "Api.csproj": refers("../lib/Lib.csproj") });
  expect(away.message).toBe("Api.csproj refers to ../lib/Lib.csproj, which is not in the source");
});
