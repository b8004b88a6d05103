import { describe, expect, test } from "vitest";
import { commandsOf, planned, refused } from "./planned.ts";

interface Case {
  readonly files: Record<string, unknown>;
  readonly provider: string;
  readonly start: string;
  readonly versions?: Record<string, string>;
  readonly install?: string[];
  readonly build?: string[];
  readonly apt?: string;
  readonly variables?: Record<string, string>;
}

const fastapi = { "main.py": "from fastapi import FastAPI\napi = FastAPI()\n" };
const mix = 'def project do [app: :shop, elixir: "~> 1.16", aliases: ["assets.deploy": []]] end';

const cases: Record<string, Case> = {
  "Python by its main file": {
    files: { "app.py": "" },
    provider: "python",
    start: "python3 app.py",
    versions: { python: "3.13" },
    install: [],
  },
  "FastAPI with pip": {
    files: {
      ...fastapi,
      "requirements.txt": "fastapi\nuvicorn[standard]==0.30\n",
      ".python-version": "3.12",
    },
    provider: "python",
    start: "uvicorn main:api --host 0.0.0.0 --port ${PORT:-8000}",
    versions: { python: "3.12" },
    install: ["python3 -m venv .venv", "pip install -r requirements.txt"],
  },
  "Flask with pip": {
    files: { "app.py": "app = Flask(__name__)", "requirements.txt": "Flask\ngunicorn\n" },
    provider: "python",
    start: "gunicorn --bind 0.0.0.0:${PORT:-8000} app:app",
  },
  "Django with uv": {
    files: {
      "pyproject.toml":
        '[project]\nrequires-python = ">=3.10,<3.13"\ndependencies = ["django", "gunicorn", "psycopg2"]\n',
      "uv.lock": "",
      "manage.py": "",
      "site/settings.py": 'WSGI_APPLICATION = "site.wsgi.application"',
    },
    provider: "python",
    start:
      "python3 manage.py migrate --noinput && gunicorn --bind 0.0.0.0:${PORT:-8000} site.wsgi:application",
    versions: { python: "3.12", uv: "latest" },
    install: ["uv sync --locked --no-dev --no-install-project"],
    build: ["uv sync --locked --no-dev --no-editable"],
    apt: "libpq5",
  },
  poetry: {
    files: { "pyproject.toml": "[tool.poetry]\n", "poetry.lock": "", "main.py": "" },
    provider: "python",
    start: "python3 main.py",
    install: ["poetry install --no-interaction --no-ansi --only main --no-root"],
  },
  pdm: {
    files: { "pyproject.toml": "[project]\n", "pdm.lock": "", "main.py": "" },
    provider: "python",
    start: "python3 main.py",
    install: ["pdm install --check --prod --no-editable"],
  },
  pipenv: {
    files: { Pipfile: '[requires]\npython_version = "3.9"\n', "Pipfile.lock": "{}", "main.py": "" },
    provider: "python",
    start: "python3 main.py",
    versions: { python: "3.9" },
    install: ["pipenv install --deploy --ignore-pipfile"],
  },
  "an unlocked pyproject": {
    files: { "pyproject.toml": '[project]\ndependencies = ["flask>=3", "a;b"]\n', "main.py": "" },
    provider: "python",
    start: "python3 main.py",
    install: ["python3 -m venv .venv", "pip install 'flask>=3' 'a;b'"],
  },
  "psycopg that brings its library": {
    files: { "requirements.txt": "psycopg[binary]\n", "main.py": "" },
    provider: "python",
    start: "python3 main.py",
    apt: "",
  },
  "a Go module": {
    files: { "go.mod": "module a\n\ngo 1.22\n", "main.go": "" },
    provider: "golang",
    start: "./out",
    versions: { go: "1.22" },
    install: ["go mod download"],
    build: ['go build -ldflags="-w -s" -o out'],
  },
  "a Go command": {
    files: { "go.mod": "module a\n", "cmd/web/main.go": "", "cmd/admin/main.go": "" },
    provider: "golang",
    start: "./out",
    build: ['go build -ldflags="-w -s" -o out ./cmd/admin'],
  },
  "a Go command by name": {
    files: { "go.mod": "module a\n", "cmd/web/main.go": "", "cmd/admin/main.go": "" },
    variables: { RAILPACK_GO_BIN: "web" },
    provider: "golang",
    start: "./out",
    build: ['go build -ldflags="-w -s" -o out ./cmd/web'],
  },
  "a Go workspace": {
    files: { "go.work": "go 1.23\n", "lib/go.mod": "", "api/go.mod": "", "api/main.go": "" },
    provider: "golang",
    start: "./out",
    versions: { go: "1.23" },
    build: ['go build -ldflags="-w -s" -o out ./api'],
  },
  "plain PHP": {
    files: { "index.php": "" },
    provider: "php",
    start: "/start-container.sh",
    versions: { php: "8.4" },
  },
  "Laravel with assets": {
    files: {
      "composer.json": { require: { php: "^8.3", "ext-gd": "*" } },
      artisan: "",
      "package.json": { scripts: { build: "vite build" }, devDependencies: { vite: "7" } },
    },
    provider: "php",
    start: "/start-container.sh",
    versions: { php: "8.3", node: "24" },
    variables: { DB_CONNECTION: "pgsql" },
  },
  Maven: {
    files: {
      "pom.xml":
        "<project><properties><java.version>17</java.version></properties><groupId>org.springframework.boot</groupId></project>",
    },
    provider: "java",
    start:
      "java -Dserver.port=$PORT $JAVA_OPTS -jar $(ls -1 target/*.jar | grep -v -e -sources -e -javadoc -e original- | head -n 1)",
    versions: { java: "17" },
  },
  Gradle: {
    files: {
      gradlew: "",
      "build.gradle.kts": "kotlin { jvmToolchain(21) }",
      "gradle/wrapper/gradle-wrapper.properties":
        "distributionUrl=https\\://services.gradle.org/distributions/gradle-9.1-bin.zip\n",
    },
    provider: "java",
    start:
      "java $JAVA_OPTS -jar $(ls -1 build/libs/*.jar */build/libs/*.jar 2>/dev/null | grep -v plain | head -n 1)",
    versions: { java: "21", gradle: "9" },
    build: ["chmod +x gradlew", "./gradlew clean build -x check -x test -Pproduction"],
  },
  Rust: {
    files: { "Cargo.toml": '[package]\nname = "hello"\nedition = "2021"\n', "src/main.rs": "" },
    provider: "rust",
    start: "./bin/hello",
    versions: { rust: "1.84.0" },
    build: ["mkdir -p bin", "cargo build --release", "cp target/release/hello bin"],
  },
  "a Rust workspace": {
    files: {
      "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
      "crates/lib/Cargo.toml": '[package]\nname = "lib"\n',
      "crates/lib/src/lib.rs": "",
      "crates/web/Cargo.toml": '[package]\nname = "web"\n',
      "crates/web/src/main.rs": "",
      "rust-toolchain.toml": '[toolchain]\nchannel = "1.88.0"\n',
    },
    provider: "rust",
    start: "./bin/web",
    versions: { rust: "1.88.0" },
    build: ["mkdir -p bin", "cargo build --release --package web", "cp target/release/web bin"],
  },
  Rails: {
    files: {
      Gemfile: 'ruby "3.3.1"\ngem "rails"\ngem "pg"\ngem "propshaft"\n',
      "config/application.rb": "class A < Rails::Application",
      "bin/rails": "",
    },
    provider: "ruby",
    start: "bundle exec bin/rails server -b 0.0.0.0 -p ${PORT:-3000} -e ${RAILS_ENV:-production}",
    versions: { ruby: "3.3.1" },
    install: ["gem install -N bundler", "bundle install"],
    build: ["bundle exec rake assets:precompile"],
    apt: "libjemalloc2 libpq-dev libyaml-dev",
  },
  Rack: {
    files: { Gemfile: "", "config.ru": "", "Gemfile.lock": "BUNDLED WITH\n   2.5.6\n" },
    provider: "ruby",
    start: "bundle exec rackup config.ru -o 0.0.0.0 -p ${PORT:-3000}",
    install: ["gem install -N bundler:2.5.6", "bundle install"],
  },
  Elixir: {
    files: { "mix.exs": mix, "mix.lock": "" },
    provider: "elixir",
    start: "./_build/prod/rel/shop/bin/shop start",
    versions: { elixir: "1.18", erlang: "27" },
    build: ["mix compile", "mix assets.deploy", "mix release --overwrite"],
  },
  Deno: {
    files: { "deno.jsonc": "{ /* a */ }", "main.ts": "" },
    provider: "deno",
    start: "deno run --allow-all main.ts",
    build: ["deno cache main.ts"],
  },
  "Deno with a task": {
    files: { "deno.json": { tasks: { start: "x" } } },
    provider: "deno",
    start: "deno task start",
    build: ["deno install"],
  },
  ".NET": {
    files: { "Shop.csproj": "<TargetFramework>net9.0</TargetFramework>" },
    provider: "dotnet",
    start: "ASPNETCORE_URLS=http://0.0.0.0:${PORT:-3000} ./out/Shop",
    versions: { dotnet: "9.0" },
    install: ["dotnet restore Shop.csproj"],
  },
  Gleam: {
    files: { "gleam.toml": "" },
    provider: "gleam",
    start: "./build/erlang-shipment/entrypoint.sh run",
    versions: { gleam: "latest", erlang: "latest" },
  },
  CMake: {
    files: { "CMakeLists.txt": "project(hello)\nadd_executable(${PROJECT_NAME} main.cpp)\n" },
    provider: "cpp",
    start: "./build/hello",
  },
  Meson: {
    files: { "meson.build": "project('a', 'cpp')\nexe = executable('hello', 'main.cpp')\n" },
    provider: "cpp",
    start: "./build/hello",
  },
  "a static folder": {
    files: { "public/index.html": "" },
    provider: "staticfile",
    start: "node .starform/serve.mjs public",
  },
  "a Staticfile": {
    files: { Staticfile: "root: site\nindex_fallback: true\n", "site/index.html": "" },
    provider: "staticfile",
    start: "node .starform/serve.mjs site --spa",
  },
  "a shell script": {
    files: { "start.sh": "#!/usr/bin/env bash\n" },
    provider: "shell",
    start: "bash start.sh",
  },
  "a Procfile with quotes, as in YAML": {
    files: { Procfile: `web: "./work --fast"\n` },
    provider: "procfile",
    start: "./work --fast",
  },
  "a Procfile alone": {
    files: { Procfile: "release: ./migrate\nworker: ./work --fast\n" },
    provider: "procfile",
    start: "./work --fast",
  },
  "a Procfile over the provider": {
    files: { Procfile: "web: python3 -m app", "main.py": "" },
    provider: "python",
    start: "python3 -m app",
  },
};

describe.each(Object.entries(cases))(
  "%s",
  (_name, { files, provider, start, versions, install, build, apt, variables }) => {
    test("is planned", async () => {
      const { plan, info } = await planned(files, variables ? { variables } : {});
      const seen = {
        provider: info.providers.join(),
        start: plan.deploy.startCommand,
        versions: Object.fromEntries(
          Object.entries(info.versions).map(([tool, { version }]) => [tool, version]),
        ),
        ...(install ? { install: commandsOf(plan, "install") } : {}),
        ...(build ? { build: commandsOf(plan, "build") } : {}),
        ...(apt === undefined
          ? {}
          : { apt: /install -y (.*)'$/.exec(commandsOf(plan, "packages:apt:runtime")[0] ?? "")?.[1] ?? "" }),
      };
      expect(seen).toMatchObject({
        provider,
        start,
        ...(versions ? { versions } : {}),
        ...(install ? { install } : {}),
        ...(build ? { build } : {}),
        ...(apt === undefined ? {} : { apt }),
      });
      for (const { what, reason } of info.decisions)
        expect(`${what}${reason}`.length).toBeGreaterThan(what.length);
    });

    test("every step it uses is there, and nothing else", async () => {
      const { plan } = await planned(files, variables ? { variables } : {});
      const names = plan.steps.map((step) => step.name);
      const used = [
        plan.deploy.base,
        ...plan.deploy.inputs,
        ...plan.steps.flatMap((step) => step.inputs),
      ].flatMap((layer) => ("step" in layer ? [layer.step] : []));
      expect(new Set(names)).toEqual(new Set(used));
      expect(plan.steps.flatMap((step) => step.caches).filter((cache) => !plan.caches[cache])).toEqual([]);
      const unwritten = plan.steps.flatMap((step) =>
        step.commands.flatMap((command) =>
          "name" in command && step.assets[command.name] === undefined ? [command.name] : [],
        ),
      );
      expect(unwritten).toEqual([]);
    });
  },
);

test.each([
  ["8.4", { config: { platform: { php: "8.4.1" } } }, "composer.json's platform says 8.4.1"],
  [
    "8.2",
    { require: { php: "^8.1" }, config: { platform: { php: "8.1.0" } } },
    "composer.json requires php ^8.1",
  ],
  ["8.3", { require: { php: "8.3.12" } }, "composer.json requires php 8.3.12"],
  ["8.4", { require: { php: "8.*" } }, "composer.json requires php 8.*"],
])(
  "PHP %s is the line of what composer.json says (%o), of which there is an image",
  async (version, composer, reason) => {
    const { plan, info } = await planned({ "index.php": "", "composer.json": composer });
    expect(info.versions["php"]).toEqual({ version, reason });
    expect(plan.steps.find(({ name }) => name === "packages:image")!.inputs).toEqual([
      { image: `dunglas/frankenphp:php${version}-trixie` },
    ]);
  },
);

test("PHP that nothing runs any more is refused before its image is looked for", async () => {
  const { message } = await refused({ "index.php": "", "composer.json": { require: { php: "^7.4" } } });
  expect(message).toContain("PHP 7.4 (composer.json requires php ^7.4)");
});

test("tools that are asked for beside PHP are there in the build and in the image", async () => {
  const files = { "index.php": "", "railpack.json": { packages: { jq: "1.7" } } };
  const { plan } = await planned(files);
  expect(plan.steps.find(({ name }) => name === "packages:mise")!.assets["generated-mise-toml"]).toContain(
    'jq = "1.7"',
  );
  const tools = expect.objectContaining({ step: "packages:mise" });
  expect(plan.deploy.inputs).toContainEqual(tools);
  expect(plan.steps.find(({ name }) => name === "build")!.inputs).toContainEqual(tools);
  expect((await planned({ "index.php": "" })).plan.deploy.inputs).not.toContainEqual(tools);
});

test("Playwright's browser is installed for Python when asked for, and is in the image with what it needs", async () => {
  const files = { "main.py": "", "requirements.txt": "playwright\n" };
  const { plan } = await planned(files, { variables: { RAILPACK_PYTHON_PLAYWRIGHT_INSTALL: "1" } });
  expect(commandsOf(plan, "install").at(-1)).toBe("playwright install --only-shell");
  expect(plan.deploy.inputs).toContainEqual({
    step: "build",
    include: ["/app/.venv", "/root/.cache/ms-playwright"],
  });
  expect(commandsOf(plan, "packages:apt:runtime")[0]).toContain("libnss3");
  expect(commandsOf((await planned(files)).plan, "install")).not.toContain("playwright install --only-shell");
});

test.each([{ "start.sh": "" }, { Procfile: "web: ./run" }])(
  "an install of one's own comes before the build of a source that has none (%o)",
  async (files) => {
    const { plan } = await planned(files, { variables: { RAILPACK_INSTALL_CMD: "make deps" } });
    const inputsOf = (step: string) => plan.steps.find(({ name }) => name === step)!.inputs;
    expect(inputsOf("install")).toEqual([{ step: "packages:mise" }, { local: true, include: ["."] }]);
    expect(inputsOf("build")[0]).toEqual({ step: "install" });
    expect(commandsOf(plan, "install")).toEqual(["sh -c 'make deps'"]);
  },
);

test.each([
  ["ruby", "3.4", { Gemfile: "", "config.ru": "" }],
  ["rust", "stable", { "Cargo.toml": '[package]\nname = "a"\nedition = "2018"\n', "src/main.rs": "" }],
])("the latest %s is %s, over what the manifest says", async (tool, version, files) => {
  const { info } = await planned({ ...files, "mise.toml": `[tools]\n${tool} = "latest"\n` });
  expect(info.versions[tool]).toEqual({ version, reason: "mise.toml says latest" });
});

test("Laravel's image has its extensions and its assets, built beside each other", async () => {
  const { plan } = await planned(cases["Laravel with assets"]!.files, {
    variables: { DB_CONNECTION: "pgsql" },
  });
  expect(commandsOf(plan, "extensions")[0]).toMatch(/^install-php-extensions gd ctype .* pdo_pgsql$/);
  expect(commandsOf(plan, "build")).toEqual(
    expect.arrayContaining(["npm run build", "php artisan route:cache"]),
  );
  expect(plan.steps.find(({ name }) => name === "packages:image")!.inputs).toEqual([
    { image: "dunglas/frankenphp:php8.3-trixie" },
  ]);
});

test("a crate of several binaries asks which to run", async () => {
  const files = { "Cargo.toml": '[package]\nname = "a"\n', "src/bin/one.rs": "", "src/bin/two.rs": "" };
  expect((await refused(files)).hint).toContain("one, two");
  expect((await planned(files, { variables: { RAILPACK_RUST_BIN: "two" } })).plan.deploy.startCommand).toBe(
    "./bin/two",
  );
});

test("a binary with a name of its own is the one of src/main.rs", async () => {
  const manifest = `[package]\nname = "a"\n[[bin]]\nname = 'server'\npath = 'src/main.rs'\n`;
  const { plan } = await planned({ "Cargo.toml": manifest, "src/main.rs": "" });
  expect(plan.deploy.startCommand).toBe("./bin/server");
});

test("the first of Railpack's order wins where several fit", async () => {
  expect(
    (await planned({ "index.html": "", "package.json": { main: "index.js" }, "index.js": "", "main.py": "" }))
      .info.providers,
  ).toEqual(["python"]);
  expect((await planned({ "go.mod": "module a\n", "main.go": "", Gemfile: "" })).info.providers).toEqual([
    "golang",
  ]);
});

test("what is not an app is told what would make it one", async () => {
  expect((await refused({ "server.js": "" })).message).toContain("no app was found");
  expect((await refused({ "web.mjs": "" })).hint).toBe(
    'Add a package.json: {"scripts": {"start": "node web.mjs"}}.',
  );
  expect((await refused({ ".prettierrc.js": "", "eslint.config.js": "" })).hint).toContain("Procfile");
  expect((await refused({ "tool.py": "" })).hint).toContain("Rename tool.py to main.py");
  expect((await refused({ "README.md": "" })).hint).toContain("Dockerfile");
});
