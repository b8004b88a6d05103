import { createHash } from "node:crypto";
import { ServiceSettings } from "@starform/contract/services";
import { digestOf } from "@starform/std/canonical-json";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { secretsOut } from "./build-document.ts";
import { makeDocuments, type BuiltFacts } from "./make-documents.ts";
import { labelsOf } from "./provenance.ts";

/** The part of CycloneDX 1.6's JSON schema that we write, closed: a misspelt field must not pass. */
const Property = z.strictObject({ name: z.string(), value: z.string() });
const Hash = z.discriminatedUnion("alg", [
  z.strictObject({ alg: z.literal("SHA-1"), content: z.string().regex(/^[0-9a-f]{40}$/) }),
  z.strictObject({ alg: z.literal("SHA-256"), content: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ alg: z.literal("SHA-384"), content: z.string().regex(/^[0-9a-f]{96}$/) }),
  z.strictObject({ alg: z.literal("SHA-512"), content: z.string().regex(/^[0-9a-f]{128}$/) }),
]);
const CycloneComponent = z.strictObject({
  type: z.enum(["application", "framework", "library", "container", "platform", "operating-system"]),
  "bom-ref": z.string().min(1).optional(),
  name: z.string().min(1),
  version: z.string().optional(),
  purl: z.string().startsWith("pkg:").optional(),
  hashes: z.array(Hash).optional(),
  properties: z.array(Property).optional(),
});
const CycloneDx = z.strictObject({
  $schema: z.literal("http://cyclonedx.org/schema/bom-1.6.schema.json"),
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.6"),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  version: z.int().min(1),
  metadata: z.strictObject({
    timestamp: z.iso.datetime(),
    tools: z.strictObject({ components: z.array(CycloneComponent) }),
    component: CycloneComponent,
    properties: z.array(Property),
  }),
  components: z.array(CycloneComponent),
  dependencies: z.array(z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

/** The part of in-toto's statement 1 and SLSA's provenance 1 that we write. */
const Resource = z.strictObject({
  uri: z
    .string()
    .regex(/^[a-z][a-z0-9+.-]*:/)
    .optional(),
  name: z.string().optional(),
  mediaType: z.string().optional(),
  digest: z.partialRecord(z.enum(["sha256", "gitCommit"]), z.string().min(1)).optional(),
});
const Statement = z.strictObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z
    .array(
      z.strictObject({
        name: z.string(),
        digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
      }),
    )
    .min(1),
  predicateType: z.literal("https://slsa.dev/provenance/v1"),
  predicate: z.strictObject({
    buildDefinition: z.strictObject({
      buildType: z.url(),
      externalParameters: z.record(z.string(), z.unknown()),
      internalParameters: z.record(z.string(), z.unknown()).optional(),
      resolvedDependencies: z.array(Resource).optional(),
    }),
    runDetails: z.strictObject({
      builder: z.strictObject({ id: z.url(), version: z.record(z.string(), z.string()).optional() }),
      metadata: z.strictObject({
        invocationId: z.string(),
        startedOn: z.iso.datetime(),
        finishedOn: z.iso.datetime(),
      }),
      byproducts: z.array(Resource).optional(),
    }),
  }),
});

const hex = (letter: string) => letter.repeat(64);
const secret = 'hush "quoted"\nand of two lines';
const plan = {
  steps: [],
  caches: {},
  secrets: ["TOKEN"],
  deploy: { base: { image: "base" }, inputs: [], variables: {}, paths: [], startCommand: "node ." },
  exclude: [],
};
const facts = (more: Partial<BuiltFacts> = {}): BuiltFacts => ({
  work: {
    deploymentId: "0198f000-0000-7000-8000-000000000001",
    buildId: "0198f000-0000-7000-8000-000000000002",
    workspaceId: "0198f000-0000-7000-8000-000000000003",
    projectId: "p",
    serviceId: "s",
    serviceName: "web",
    environment: "production",
    source: { kind: "git", url: "https://ann:pass@git.example/shop.git", ref: "main" },
    settings: ServiceSettings.parse({}),
    variables: { TOKEN: secret, COLOUR: "blue" },
    secretNames: ["TOKEN"],
    noCache: false,
    plan: "hobby",
  },
  builder: { id: "https://api.starform.example/builders/docker", starformVersion: "0.1.0" },
  settings: ServiceSettings.parse({ buildCommand: `LOGIN='${secret}' npm run build` }),
  outcome: {
    ok: true,
    kind: "plan",
    plan: plan as never,
    info: {
      providers: ["node"],
      versions: { node: { version: "24", reason: "because" } },
      decisions: [],
      rootDirectory: ".",
    },
  },
  commit: { sha: "a".repeat(40), ref: "refs/heads/main", message: "m", author: "ann" },
  components: {
    components: [
      {
        ecosystem: "npm",
        name: "@types/node",
        version: "24.1.0",
        hash: { algorithm: "SHA-512", hex: "0a".repeat(64) },
        isDevelopment: true,
      },
      { ecosystem: "npm", name: "ms", version: "2.1.3" },
    ],
    files: ["package-lock.json"],
    notes: [],
  },
  image: `starform.local/p/s@sha256:${hex("b")}`,
  imageDigest: `sha256:${hex("b")}`,
  debianPackages: [{ name: "libc6", version: "2.36-9+deb12u10", architecture: "amd64" }],
  materials: [{ uri: "docker-image://docker.io/library/node:24", digest: { sha256: hex("c") } }],
  startedAt: new Date("2026-11-29T11:00:00Z"),
  finishedAt: new Date("2026-11-29T11:01:00Z"),
  ...more,
});
const parsed = (more: Partial<BuiltFacts> = {}) =>
  makeDocuments(facts(more)).map(({ text }) => JSON.parse(text) as Record<string, unknown>);

describe("the component list", () => {
  test("fits CycloneDX 1.6 and names tools, packages and Debian's packages, each once", () => {
    const [sbom] = parsed();
    const { components, metadata, dependencies } = CycloneDx.parse(sbom);
    expect(components.map((one) => one["bom-ref"])).toEqual([
      "tool:node",
      "pkg:npm/%40types/node@24.1.0",
      "pkg:npm/ms@2.1.3",
      "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64",
    ]);
    expect(dependencies).toEqual([{ ref: "image", dependsOn: components.map((one) => one["bom-ref"]) }]);
    expect(metadata.component).toMatchObject({ name: "starform.local/p/s", version: `sha256:${hex("b")}` });
    expect(metadata.properties).toEqual([{ name: "starform:lock-file", value: "package-lock.json" }]);
  });

  test("says what it does not know", () => {
    const [sbom] = parsed({
      debianPackages: undefined,
      components: { components: [], files: [], notes: ["no lock file"] },
    });
    expect(CycloneDx.parse(sbom).metadata.properties).toEqual([
      { name: "starform:not-known", value: "no lock file" },
      { name: "starform:not-known", value: expect.stringContaining("Debian packages") },
    ]);
  });
});

describe("the provenance", () => {
  test("fits in-toto's statement and SLSA's provenance, and binds image, source, plan and component list", () => {
    const [sbom] = makeDocuments(facts());
    const statement = Statement.parse(parsed()[1]);
    const { buildDefinition, runDetails } = statement.predicate;
    expect(statement.subject).toEqual([{ name: "starform.local/p/s", digest: { sha256: hex("b") } }]);
    expect(buildDefinition.resolvedDependencies).toEqual([
      { uri: "git+https://git.example/shop.git@main", digest: { gitCommit: "a".repeat(40) } },
      { uri: "docker-image://docker.io/library/node:24", digest: { sha256: hex("c") } },
    ]);
    expect(buildDefinition.externalParameters["variables"]).toEqual(["COLOUR", "TOKEN"]);
    expect(buildDefinition.internalParameters).toMatchObject({
      plan: { digest: { sha256: digestOf(plan).slice(7) } },
    });
    expect(runDetails.metadata).toMatchObject({
      startedOn: "2026-11-29T11:00:00.000Z",
      finishedOn: "2026-11-29T11:01:00.000Z",
    });
    const bytes = createHash("sha256").update(sbom.text).digest("hex");
    expect(runDetails.byproducts).toEqual([
      { name: "sbom", mediaType: sbom.mediaType, digest: { sha256: bytes } },
    ]);
    expect(sbom.digest).toBe(`sha256:${bytes}`);
  });

  test.each([
    [
      { kind: "upload", sourceId: hex("d") } as const,
      { uri: `starform:upload/${hex("d")}`, digest: { sha256: hex("d") } },
    ],
    [
      { kind: "commit", sha: "e".repeat(40) } as const,
      { uri: "git+starform:refs/heads/main", digest: { gitCommit: "e".repeat(40) } },
    ],
  ])("names a source of kind %#", (source, resource) => {
    const [, statement] = parsed({ work: { ...facts().work, source } });
    expect(Statement.parse(statement).predicate.buildDefinition.resolvedDependencies?.[0]).toEqual(resource);
  });

  test("of a Dockerfile names it in place of a plan", () => {
    const { info } = facts().outcome;
    const outcome = { ok: true, kind: "dockerfile", path: "Dockerfile.web", info } as const;
    const { buildDefinition } = Statement.parse(parsed({ outcome })[1]).predicate;
    expect(buildDefinition).toMatchObject({
      buildType: "https://starform.app/build-types/dockerfile/v1",
      internalParameters: { dockerfile: "Dockerfile.web", rootDirectory: "." },
    });
    expect(labelsOf({ source: facts().work.source, commit: facts().commit, outcome })).toEqual({
      "starform.io/source-digest": `gitCommit:${"a".repeat(40)}`,
      "org.opencontainers.image.revision": "a".repeat(40),
    });
  });

  test("holds no name and password of an address, and equal builds carry equal labels", () => {
    expect(JSON.stringify(parsed())).not.toContain("pass");
    const { source } = facts().work;
    const labels = () => labelsOf({ source, commit: facts().commit, outcome: facts().outcome });
    expect(labels()).toEqual(labels());
    expect(labels()).toMatchObject({ "starform.io/plan-digest": digestOf(plan) });
  });
});

describe("secrets", () => {
  test("are in neither document, wherever they were put", () => {
    const texts = makeDocuments(facts()).map(({ text }) => text);
    for (const text of texts) {
      expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
      expect(text).not.toContain("and of two lines");
      expect(() => JSON.parse(text) as unknown).not.toThrow();
    }
    expect(texts[1]).toContain("LOGIN='[TOKEN]' npm run build");
  });

  test("of any value are out of any JSON, which stays JSON", () => {
    const seed = Date.now() % 2 ** 31;
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, unit: "binary" }),
        fc.json(),
        fc.string(),
        (value, json, around) => {
          fc.pre(value.trim().length >= 6);
          const text = JSON.stringify({ json, held: `${around}${value}${around}` });
          const shown = secretsOut({ S: value }, ["S"])(text);
          expect(() => JSON.parse(shown) as unknown).not.toThrow();
          expect(shown).not.toContain(JSON.stringify(value.trim()).slice(1, -1));
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});
