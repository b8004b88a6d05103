import { expect, test } from "vitest";
import { parseStarformFile, settingsIn, starformJsonSchema } from "./starform-file.ts";
import { File, settings } from "./starform-schema.ts";

const problems = (value: unknown) => {
  const outcome = parseStarformFile(value);
  return outcome.kind === "refused" ? outcome.problems : [];
};

test("accepts every key, and an environment's settings win over the file's", () => {
  const outcome = parseStarformFile({
    $schema: "https://starform.app/schemas/starform.json",
    builder: "auto",
    dockerfilePath: "docker/Dockerfile",
    rootDirectory: "apps/web",
    buildCommand: "npm run build",
    installCommand: "npm ci",
    startCommand: "node .",
    healthCheck: { path: "/healthz" },
    tier: "nova",
    replicas: 2,
    cron: "*/5 0 * * MON-FRI",
    drainSeconds: 30,
    type: "web",
    watchPaths: ["apps/web/**"],
    environments: { production: { replicas: 4, tier: "supernova" } },
  });
  if (outcome.kind !== "read") throw new Error(JSON.stringify(outcome));
  expect(outcome.file.healthCheck).toEqual({ path: "/healthz", timeoutSeconds: 60 });
  expect(settingsIn(outcome.file, "production")).toMatchObject({
    replicas: 4,
    tier: "supernova",
    startCommand: "node .",
  });
  expect(settingsIn(outcome.file, "staging")).toMatchObject({ replicas: 2, tier: "nova" });
  expect(settingsIn(outcome.file, "constructor")).toMatchObject({ replicas: 2 });
});

test("names the nearest valid key of an unknown one, at every depth", () => {
  expect(problems({ replica: 1 })).toEqual([
    { path: "replica", message: "is not a key here; did you mean replicas?" },
  ]);
  expect(problems({ healthCheck: { timeout: 3 } })[0]?.message).toBe(
    "is not a key here; the keys are path, timeoutSeconds",
  );
  expect(problems({ environments: { production: { startComand: "x" } } })).toEqual([
    { path: "environments.production.startComand", message: "is not a key here; did you mean startCommand?" },
  ]);
});

test.each([
  { where: [], keys: Object.keys(File.shape) },
  { where: ["healthCheck"], keys: Object.keys(settings.healthCheck.shape) },
  { where: ["environments", "production"], keys: Object.keys(settings) },
  { where: ["environments", "production", "healthCheck"], keys: Object.keys(settings.healthCheck.shape) },
])("names each key in $where that lacks its last letter", ({ where, keys }) => {
  expect(keys.length).toBeGreaterThan(1);
  for (const key of keys) {
    const slip = key.slice(0, -1);
    const file = where.toReversed().reduce<unknown>((inner, name) => ({ [name]: inner }), { [slip]: "x" });
    expect(problems(file)).toEqual([
      { path: [...where, slip].join("."), message: `is not a key here; did you mean ${key}?` },
    ]);
  }
});

test.each([
  { tier: "huge" },
  { replicas: -1 },
  { replicas: 1.5 },
  { cron: "every day" },
  { rootDirectory: "../other" },
  { dockerfilePath: "/etc/passwd" },
  { healthCheck: { path: "healthz" } },
  { environments: { "Not A Name": {} } },
  [],
  null,
])("refuses %j", (value) => {
  expect(problems(value).length).toBeGreaterThan(0);
});

test("publishes a JSON schema that closes every object", () => {
  const schema = starformJsonSchema() as {
    additionalProperties?: unknown;
    properties: Record<string, unknown>;
    required?: unknown;
  };
  expect(schema.additionalProperties).toBe(false);
  expect(schema.required).toBeUndefined();
  expect(Object.keys(schema.properties)).toEqual(
    expect.arrayContaining(["builder", "environments", "healthCheck", "watchPaths"]),
  );
});
