import { digestOf } from "@starform/std/canonical-json";
import type { PlanOutcome } from "@starform/build-plan/plan-source";
import type { ServiceSettings } from "@starform/contract/services";
import type { Commit, SourceRef } from "../ports.ts";

export type ProvenanceFacts = {
  readonly buildId: string;
  /** Who builds, as a URI: the installation and its kind of builder. */
  readonly builderId: string;
  readonly starformVersion: string;
  readonly repository: string;
  readonly imageDigest: string;
  readonly source: SourceRef;
  readonly commit: Commit | undefined;
  readonly settings: ServiceSettings;
  readonly environment: string;
  /** Names only: what a build was told is for nobody else. */
  readonly variableNames: readonly string[];
  readonly noCache: boolean;
  readonly outcome: Extract<PlanOutcome, { ok: true }>;
  /** Images the build started from, as far as they are known by digest. */
  readonly materials: readonly Material[];
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly sbom: { readonly digest: string; readonly mediaType: string };
};
export type Material = { readonly uri: string; readonly digest: Readonly<Record<string, string>> };

/** What the two kinds of builds do is described in docs/build-types.md. */
const buildTypes = {
  plan: "https://starform.app/build-types/plan/v1",
  dockerfile: "https://starform.app/build-types/dockerfile/v1",
} as const;

/** How an image came to be: SLSA provenance in an in-toto statement. It is not signed. */
export function provenance(facts: ProvenanceFacts) {
  const { outcome, settings, imageDigest, sbom } = facts;
  const { builder, rootDirectory, dockerfilePath, installCommand, buildCommand, startCommand } = settings;
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: facts.repository, digest: sha256(imageDigest) }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: buildTypes[outcome.kind],
        externalParameters: {
          source: sourceOf(facts),
          environment: facts.environment,
          settings: { builder, rootDirectory, dockerfilePath, installCommand, buildCommand, startCommand },
          variables: [...facts.variableNames].toSorted(),
          noCache: facts.noCache,
        },
        internalParameters: {
          rootDirectory: outcome.info.rootDirectory,
          ...(outcome.kind === "plan"
            ? { plan: { digest: sha256(planDigest(outcome)) } }
            : { dockerfile: outcome.path }),
        },
        resolvedDependencies: [sourceOf(facts), ...facts.materials],
      },
      runDetails: {
        builder: { id: facts.builderId, version: { starform: facts.starformVersion } },
        metadata: {
          invocationId: facts.buildId,
          startedOn: facts.startedAt.toISOString(),
          finishedOn: facts.finishedAt.toISOString(),
        },
        byproducts: [{ name: "sbom", mediaType: sbom.mediaType, digest: sha256(sbom.digest) }],
      },
    },
  };
}

/** Of a plan; equal plans have one. Undefined for a Dockerfile, which speaks for itself. */
export const planDigest = (outcome: ProvenanceFacts["outcome"]): string =>
  outcome.kind === "plan" ? digestOf(outcome.plan) : "";

/** What an image says of its making: nothing that an equal build would not say as well. */
export function labelsOf(
  facts: Pick<ProvenanceFacts, "source" | "commit" | "outcome">,
): Record<string, string> {
  const { digest } = sourceOf(facts);
  const [[algorithm, value] = ["", ""]] = Object.entries(digest ?? {});
  const plan = planDigest(facts.outcome);
  return {
    ...(value && { "starform.io/source-digest": `${algorithm}:${value}` }),
    ...(algorithm === "gitCommit" && { "org.opencontainers.image.revision": value }),
    ...(plan && { "starform.io/plan-digest": plan }),
  };
}

function sourceOf({ source, commit }: Pick<ProvenanceFacts, "source" | "commit">) {
  if (source.kind === "upload")
    return { uri: `starform:upload/${source.sourceId}`, digest: { sha256: source.sourceId } };
  if (source.kind === "commit")
    return { uri: `git+starform:${commit?.ref ?? ""}`, digest: { gitCommit: source.sha } };
  // No name or password that somebody put into the address.
  const uri = `git+${source.url.replace(/^(\w+:\/\/)[^/\s@]+@/, "$1")}${source.ref ? `@${source.ref}` : ""}`;
  return commit ? { uri, digest: { gitCommit: commit.sha } } : { uri };
}

const sha256 = (digest: string): { sha256: string } => ({ sha256: digest.replace(/^sha256:/, "") });
