import { expect, test } from "vitest";
import { ejectDockerfile, ejectedIgnores } from "../src/eject-dockerfile.ts";
import { planned } from "./planned.ts";

test("the stages are the plan's steps, and the last is the image", async () => {
  const { plan } = await planned(
    { "package.json": { scripts: { start: "node .", build: "make" }, dependencies: { a: "1" } } },
    { variables: { TOKEN: "s3cret" } },
  );
  const dockerfile = ejectDockerfile(plan);
  expect(dockerfile).toMatch(/\nARG BUILDER=\S+railpack-builder\S+\nARG RUNTIME=\S+railpack-runtime\S+\n/);
  expect(dockerfile).toContain("FROM $BUILDER AS packages-mise\n");
  expect(dockerfile).toContain(
    "\n\nFROM $RUNTIME\nWORKDIR /app\nCOPY --from=packages-mise /mise/shims /mise/shims\n",
  );
  expect(dockerfile).toContain("FROM packages-mise AS install\nWORKDIR /app\n");
  expect(dockerfile).toContain("COPY package.json package.json\n");
  expect(dockerfile).toContain(
    "RUN --mount=type=cache,id=npm-install,target=/root/.npm,sharing=shared \\\n    npm install\n",
  );
  expect(dockerfile).toContain("FROM install AS build\nWORKDIR /app\nCOPY ./ ./\n");
  expect(dockerfile).toContain('TOKEN="$(cat /run/secrets/TOKEN; printf x)"; export TOKEN="${TOKEN%x}"; fi');
  expect(dockerfile).toContain("docker build --secret id=NAME,src=FILE");
  expect(dockerfile).toContain(
    "FROM build AS build-without-node_modules-.yarn\nRUN rm -rf /app/node_modules /app/.yarn\n",
  );
  expect(dockerfile).toMatch(
    /COPY --from=build \/app\/node_module\[s\] \/app\/node_modules\nCOPY --from=build-without-node_modules-.yarn \/app\/ \/app\/\n/,
  );
  expect(dockerfile).toMatch(/ENTRYPOINT \["\/bin\/bash", "-c"\]\nCMD \["npm run start"\]\n$/);
  expect(dockerfile).toContain("ENV PATH=/mise/shims:/app/node_modules/.bin:$PATH\n");
  expect(dockerfile).toContain("# Its .dockerignore: **/node_modules Dockerfile .dockerignore\n");
  expect(dockerfile).not.toContain("s3cret");
});

test("what a .dockerignore names already is named once", async () => {
  const { plan } = await planned({ "index.html": "", ".dockerignore": "Dockerfile\n*.log\n" });
  expect(ejectedIgnores(plan)).toEqual(["Dockerfile", "*.log", ".dockerignore"]);
});

test("files are written as they are, whatever they hold", async () => {
  const { plan } = await planned({ "index.html": "" });
  const build = plan.steps.find(({ name }) => name === "build")!;
  build.assets = { plain: "it's\n# not a comment\n$HOME\n", heredoc: "a << b\n", bytes: "no line end" };
  build.commands = Object.keys(build.assets).map((name) => ({ path: `etc/${name}`, name }));
  const dockerfile = ejectDockerfile(plan);
  expect(dockerfile).toContain(
    `printf '%s\\n' \\\n      'it'\\''s' \\\n      '# not a comment' \\\n      '$HOME' \\\n      > etc/plain\n`,
  );
  expect(dockerfile).toContain(
    `printf %s ${Buffer.from("a << b\n").toString("base64")} | base64 -d > etc/heredoc`,
  );
  expect(dockerfile).toContain(
    `printf %s ${Buffer.from("no line end").toString("base64")} | base64 -d > etc/bytes`,
  );
});

test("a step reads the secrets that it names, and where it names all those of the plan", async () => {
  const { plan } = await planned(
    {
      "package.json": { scripts: { start: "node ." } },
      "railpack.json": { steps: { build: { secrets: ["ONE", "not a name"], commands: ["make"] } } },
    },
    { variables: { ONE: "1", TWO: "2" } },
  );
  const secrets = (text: string) => [...text.matchAll(/type=secret,id=(\w+) /g)].map(([, name]) => name);
  expect(secrets(ejectDockerfile(plan))).toEqual(["ONE"]);
  expect(
    ejectDockerfile({ ...plan, steps: plan.steps.map((step) => ({ ...step, secrets: [] })) }),
  ).not.toMatch(/secret/);
  plan.steps.find(({ name }) => name === "build")!.secrets = ["*"];
  expect(secrets(ejectDockerfile(plan))).toEqual(["ONE", "TWO"]);
});

test("a command of several lines is a list, which Docker reads as it is", async () => {
  const { plan } = await planned({ "index.html": "" });
  const build = plan.steps.find(({ name }) => name === "build")!;
  build.commands = [
    { cmd: "make\n# not a comment of Docker's\nmake install" },
    { cmd: "echo \\" },
    { cmd: "ls" },
  ];
  expect(ejectDockerfile(plan)).toContain(
    `RUN ["/bin/sh","-c","make\\n# not a comment of Docker's\\nmake install"]\nRUN ["/bin/sh","-c","echo \\\\"]\nRUN ls\n`,
  );
});

test("a variable of several lines is refused, which no Dockerfile can say", async () => {
  const { plan } = await planned({
    "index.html": "",
    "railpack.json": { deploy: { variables: { KEY: "one\ntwo" } } },
  });
  expect(() => ejectDockerfile(plan)).toThrow("the plan sets KEY to a text of several lines");
});

test("no instruction is broken by a value", async () => {
  const { plan } = await planned({ "index.html": "" });
  plan.deploy.variables = { QUOTED: 'a "b" $C\\' };
  plan.deploy.paths = ["/opt/my tools"];
  plan.steps[0]!.commands.push({ src: "$id.json", dest: "a b" });
  plan.deploy.startCommand = 'sh -c "echo \\"hi\\""';
  const dockerfile = ejectDockerfile(plan);
  expect(dockerfile).toContain('ENV QUOTED="a \\"b\\" \\$C\\\\"\n');
  expect(dockerfile).toMatch(/ENV PATH="\/mise\/shims:\/opt\/my tools:\$PATH"\n/);
  expect(dockerfile).toContain(`COPY ["\\\\$id.json","a b"]\n`);
  expect(dockerfile).toContain(`CMD [${JSON.stringify(plan.deploy.startCommand)}]`);
});
