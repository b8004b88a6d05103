import { z } from "zod";
import { Digest, Id, Timestamp } from "./names.ts";
import { route } from "./route.ts";
import { StageName } from "./states.ts";

/** Where a build stands that waits for a builder. */
export const InLine = z
  .object({
    /** 1 is next. */
    position: z.number().int(),
    /** How many wait in all. */
    of: z.number().int(),
    /**
     * `turn`: for a builder and those before it; `workspace`: for a build of the workspace to end, which runs as many at
     * once as its plan allows; `service`: for the running build of the same service and environment; `quiet`: some
     * seconds, in which a further push may replace it.
     */
    waitsFor: z.enum(["turn", "workspace", "service", "quiet"]),
    /** How many builds the workspace may run at once. */
    atOnceMax: z.number().int(),
    /**
     * In how long it begins if every build before it takes what it usually does and nobody else comes; null where no
     * builds tell, or one before it runs longer than any did.
     */
    beginsInMs: z.number().int().nullable(),
  })
  .meta({ id: "InLine" });
export type InLine = z.infer<typeof InLine>;

/** What a build usually takes: a median, never a guess. */
export const BuildEstimate = z
  .object({
    durationMs: z.number().int(),
    /** Whose builds it is the median of: the service's where it has some, else all of its workspace's. */
    basis: z.enum(["service", "workspace"]),
    /** Of how many. */
    builds: z.number().int(),
  })
  .meta({ id: "BuildEstimate" });
export type BuildEstimate = z.infer<typeof BuildEstimate>;

export const BuildStep = z
  .object({
    name: z.string(),
    /** `cached`: its result was already there, and nothing ran. */
    outcome: z.enum(["done", "cached", "failed"]),
    durationMs: z.number().int().optional(),
  })
  .meta({ id: "BuildStep" });
export type BuildStep = z.infer<typeof BuildStep>;

export const ImageLayer = z
  .object({ sizeBytes: z.number().int(), createdBy: z.string().optional() })
  .meta({ id: "ImageLayer" });

/** What was measured. What a builder cannot know is absent, never zero. */
export const BuildReport = z
  .object({
    /** What came before and after the steps as well: clone, build, push. */
    stages: z.array(z.object({ name: StageName, durationMs: z.number().int() })),
    /** In the order they ended; the builder's own preparations are left out. */
    steps: z.array(BuildStep),
    /** Of the source, to the builder; files that it still had are not sent. */
    sentBytes: z.number().int().optional(),
    /** Of all that the build ran, together. */
    peakMemoryBytes: z.number().int().optional(),
    imageBytes: z.number().int().optional(),
    /** From the base up. */
    layers: z.array(ImageLayer).optional(),
  })
  .meta({ id: "BuildReport" });
export type BuildReport = z.infer<typeof BuildReport>;

/** How many of a build's steps were already there. */
export const cacheHits = ({ steps }: Pick<BuildReport, "steps">): { cached: number; of: number } => ({
  cached: steps.filter(({ outcome }) => outcome === "cached").length,
  of: steps.length,
});

export const BuildDocument = z
  .object({
    kind: z.enum(["sbom", "provenance"]),
    mediaType: z.string(),
    /** Of the document's bytes. */
    digest: Digest,
    sizeBytes: z.number().int(),
  })
  .meta({ id: "BuildDocument" });

export const Build = z
  .object({
    id: Id,
    projectId: Id,
    serviceId: Id,
    createdAt: Timestamp,
    /** When a builder took it on; the last time, if it was begun anew. */
    startedAt: Timestamp.nullable(),
    endedAt: Timestamp.nullable(),
    /** Null until there is one, and where the build failed. */
    image: z.string().nullable(),
    imageDigest: Digest.nullable(),
    /** What was planned and why; empty until it was. */
    info: z.record(z.string(), z.unknown()),
    report: BuildReport.nullable(),
    /** What it says of its image; each is to be had by its kind. */
    documents: z.array(BuildDocument),
  })
  .meta({ id: "Build" });
export type Build = z.infer<typeof Build>;

const buildParams = z.object({ build: Id });
export const getBuild = route({
  id: "getBuild",
  method: "GET",
  path: "/v1/builds/:build",
  area: "builds",
  summary: "One build: what was planned and why, what each stage and step took, what came from the cache.",
  params: buildParams,
  response: Build,
});

/** As it was made: printing it without spaces gives the bytes that its digest is of. */
const JsonDocument = z.record(z.string(), z.unknown());
export const getSbom = route({
  id: "getSbom",
  method: "GET",
  path: "/v1/builds/:build/sbom",
  area: "builds",
  summary: "What the image is made of: a component list in CycloneDX 1.6.",
  params: buildParams,
  response: JsonDocument,
});
export const getProvenance = route({
  id: "getProvenance",
  method: "GET",
  path: "/v1/builds/:build/provenance",
  area: "builds",
  summary: "How the image came to be: SLSA provenance 1.0 in an in-toto statement. It is not signed.",
  params: buildParams,
  response: JsonDocument,
});
