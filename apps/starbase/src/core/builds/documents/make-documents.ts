import type { Components } from "@starform/build-plan/components/read-components";
import type { ServiceSettings } from "@starform/contract/services";
import type { BuildFacts } from "../../../ports/build-service.ts";
import type { BuildWork, Commit } from "../ports.ts";
import { documentOf, secretsOut, type BuildDocument } from "./build-document.ts";
import { componentList } from "./component-list.ts";
import { provenance, type Material, type ProvenanceFacts } from "./provenance.ts";

/** Who builds here. */
export type BuilderIdentity = {
  /** A URI: of the installation, and of its kind of builder. */
  readonly id: string;
  readonly starformVersion: string;
};

export type BuiltFacts = {
  readonly work: BuildWork;
  readonly builder: BuilderIdentity;
  readonly settings: ServiceSettings;
  readonly outcome: ProvenanceFacts["outcome"];
  readonly commit: Commit | undefined;
  readonly components: Components;
  readonly image: string;
  readonly imageDigest: string;
  readonly debianPackages: BuildFacts["debianPackages"];
  readonly materials: readonly Material[];
  readonly startedAt: Date;
  readonly finishedAt: Date;
};

const noDebian =
  "which Debian packages the image holds: it was not built from Debian, or its list of them could not be read";

/** The component list of an image and its provenance, which names the list. No value of a secret is in either. */
export function makeDocuments(facts: BuiltFacts): readonly [sbom: BuildDocument, provenance: BuildDocument] {
  const { work, builder, components, imageDigest, debianPackages, finishedAt } = facts;
  const { starformVersion } = builder;
  const withoutSecrets = secretsOut(work.variables, work.secretNames);
  const repository = facts.image.split("@", 1)[0]!;
  const sbom = documentOf(
    "sbom",
    componentList({
      ...components,
      buildId: work.buildId,
      repository,
      imageDigest,
      info: facts.outcome.info,
      debianPackages,
      notes: [...components.notes, ...(debianPackages ? [] : [noDebian])],
      at: finishedAt,
      starformVersion,
    }),
    withoutSecrets,
  );
  const statement = provenance({
    ...facts,
    buildId: work.buildId,
    builderId: builder.id,
    starformVersion,
    repository,
    source: work.source,
    environment: work.environment,
    variableNames: Object.keys(work.variables),
    noCache: work.noCache,
    sbom,
  });
  return [sbom, documentOf("provenance", statement, withoutSecrets)];
}
