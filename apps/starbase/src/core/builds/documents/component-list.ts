import { packageUrl, type Component } from "@starform/build-plan/components/component";
import { debianUrl, type DebianPackage } from "@starform/build-plan/components/debian";
import type { PlanInfo } from "@starform/build-plan/plan-info";

export type ComponentFacts = {
  readonly buildId: string;
  /** The image's name without its digest. */
  readonly repository: string;
  readonly imageDigest: string;
  readonly info: Pick<PlanInfo, "versions">;
  readonly components: readonly Component[];
  /** Undefined where they could not be read. */
  readonly debianPackages: readonly DebianPackage[] | undefined;
  readonly files: readonly string[];
  /** What could not be told. */
  readonly notes: readonly string[];
  readonly at: Date;
  readonly starformVersion: string;
};

/** What an image is made of, as CycloneDX 1.6: the tools of its plan, the packages of lock files, Debian's packages. */
export function componentList(facts: ComponentFacts) {
  const components = [
    ...Object.entries(facts.info.versions).map(([name, { version, reason }]) => ({
      type: "platform",
      "bom-ref": `tool:${name}`,
      name,
      version,
      properties: [property("reason", reason)],
    })),
    ...facts.components.map((component) => {
      const purl = packageUrl(component);
      const { name, version, hash, isDevelopment } = component;
      return {
        type: "library",
        "bom-ref": purl,
        name,
        version,
        purl,
        ...(hash && { hashes: [{ alg: hash.algorithm, content: hash.hex }] }),
        ...(isDevelopment && { properties: [property("development", "true")] }),
      };
    }),
    ...(facts.debianPackages ?? []).map((one) => {
      const purl = debianUrl(one);
      return { type: "library", "bom-ref": purl, name: one.name, version: one.version, purl };
    }),
  ];
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${facts.buildId}`,
    version: 1,
    metadata: {
      timestamp: facts.at.toISOString(),
      tools: { components: [{ type: "application", name: "starform", version: facts.starformVersion }] },
      component: {
        type: "container",
        "bom-ref": "image",
        name: facts.repository,
        version: facts.imageDigest,
        hashes: [{ alg: "SHA-256", content: facts.imageDigest.replace(/^sha256:/, "") }],
      },
      properties: [
        ...facts.files.map((file) => property("lock-file", file)),
        ...facts.notes.map((note) => property("not-known", note)),
      ],
    },
    components,
    dependencies: [{ ref: "image", dependsOn: components.map((one) => one["bom-ref"]) }],
  };
}

const property = (name: string, value: string) => ({ name: `starform:${name}`, value });
