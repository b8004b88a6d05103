import type { KubeObject } from "@starform/kubernetes/kube-api";
import { parseAllDocuments } from "yaml";
import type { ClusterFacts } from "./cluster-facts.ts";
import { clusterIdLabel, managedByLabel } from "./ownership.ts";
import type { ClusterParameters } from "./parameters.ts";
import { namesIn, readPart, readVersions } from "./parts-folder.ts";
import type { Step } from "./steps.ts";
import { fill, fillText, type TemplateWords, type Value } from "./template.ts";

/** The manifests of a step, filled in, in the order of application. Pure but for reading deploy/cluster. */
export function render(
  step: Step,
  parameters: ClusterParameters,
  facts: ClusterFacts,
): readonly KubeObject[] {
  const words = wordsFor(step.folder, parameters, facts);
  return filesOf(step).flatMap((file) =>
    documentsOf(step.folder, file).flatMap((document) => {
      const manifest = fill(document, words) as KubeObject | undefined;
      return manifest ? [labelled(manifest, parameters.clusterId)] : [];
    }),
  );
}

const read = new Map<string, readonly unknown[]>();

/** A file's manifests, parsed once: the definitions are a megabyte of YAML. */
function documentsOf(folder: string, file: string): readonly unknown[] {
  const path = `${folder}/${file}`;
  const known = read.get(path);
  if (known) return known;
  const parsed = parseAllDocuments(readPart(folder, file)).map((document) => {
    const [problem] = document.errors;
    if (problem) throw new Error(`deploy/cluster/${path} is no YAML`, { cause: problem });
    return document.toJS() as unknown;
  });
  read.set(path, parsed);
  return parsed;
}

/** What a step reads. `crds` are the packed definitions. */
export function filesOf({ folder, files }: Step): readonly string[] {
  const all = namesIn(folder);
  if (files === "all") return all.filter((name) => name.endsWith(".yaml"));
  return files.flatMap((file) =>
    file === "crds" ? all.filter((name) => name.endsWith(".yaml.gz")) : [file],
  );
}

function wordsFor(folder: string, parameters: ClusterParameters, facts: ClusterFacts): TemplateWords {
  const values = valuesOf(parameters, facts);
  const versions = readVersions();
  const words: TemplateWords = {
    value: (name) => values[name],
    file: (name) => fillText(readPart(folder, name), words),
    image: (name) => parameters.images[name] ?? imageOf(versions[name] ?? missing(name)),
    slug: (name) => (versions[name] ?? missing(name)).tag.replaceAll(/[^a-z0-9]+/g, "-"),
  };
  return words;
}

const imageOf = ({ image, tag, digest }: { image: string; tag: string; digest?: string }): string =>
  `${image}:${tag}${digest ? `@${digest}` : ""}`;

function missing(name: string): never {
  throw new Error(`deploy/cluster/versions.json has no image "${name}"`);
}

function valuesOf(
  { clusterId, region, token, starbaseUrl, signingKeys, endpoints, logsUrl, settings }: ClusterParameters,
  facts: ClusterFacts,
): Readonly<Record<string, Value | undefined>> {
  const logs = endpoints && new URL(endpoints.logs.url);
  const isTls = logs?.protocol === "https:";
  const shuttleLogs = endpoints?.logs.url ?? logsUrl;
  return {
    cluster_id: clusterId,
    region,
    token,
    starbase_url: starbaseUrl,
    signing_keys: signingKeys,
    logs_host: logs?.hostname,
    logs_port: logs && Number(logs.port || (isTls ? 443 : 80)),
    logs_tls: isTls ? "on" : "off",
    logs_token: endpoints?.logs.token,
    logs_url: shuttleLogs,
    logs_token_file: shuttleLogs && "/var/run/starform-logs/token",
    metrics_url: endpoints?.metrics.url,
    metrics_token: endpoints?.metrics.token,
    monitoring_url: endpoints?.monitoring?.url,
    monitoring_user: endpoints?.monitoring?.user,
    monitoring_password: endpoints?.monitoring?.password,
    edge_proxy_protocol: String(settings.usesProxyProtocol),
    edge_trusted_hops: String(settings.trustedHops),
    tls_secret: settings.tlsSecret,
    managed_data_cidrs: settings.managedDataCidrs.join(",") || undefined,
    cluster_cidrs: settings.clusterCidrs.join(",") || undefined,
    image_pull_secrets: settings.imagePullSecrets.join(",") || undefined,
    storage_class: settings.storageClass,
    soft_limit: String(settings.softLimit),
    kubelet_insecure_tls: facts.hasSelfSignedKubelets,
    shuttle_claim: facts.hasShuttleVolume ? "shuttle" : undefined,
    shuttle_scratch: facts.hasShuttleVolume ? undefined : "1Gi",
  };
}

/** Says of every object whose it is, so that it can be found and taken away. */
function labelled(manifest: KubeObject, clusterId: string): KubeObject {
  const labels = {
    ...manifest.metadata.labels,
    "app.kubernetes.io/part-of": "starform",
    [managedByLabel]: "bootstrap",
    [clusterIdLabel]: clusterId,
  };
  return { ...manifest, metadata: { ...manifest.metadata, labels } };
}
