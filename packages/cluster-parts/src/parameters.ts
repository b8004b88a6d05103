import { z } from "zod";

/** Values end up in configurations of several languages: none may hold a quote, a space or a line's end. */
const plain = (pattern: RegExp, message: string) => z.string().regex(pattern, message);
const token = plain(/^[A-Za-z0-9_.~+/=-]{8,512}$/, "a token of letters, digits and _.~+/=- is expected");
const address = z
  .url({ protocol: /^https?$/ })
  .regex(/^[A-Za-z0-9:/._~%-]+$/, "an address without quotes, query or password is expected");

/** Where a region takes in what its clusters tell, and how a cluster proves itself there. From the region registry. */
export const RegionEndpoints = z.strictObject({
  /** Vector, for customers' logs; the path is ours. */
  logs: z.strictObject({ url: address, token }),
  /** vmauth's remote write, for customers' metrics. */
  metrics: z.strictObject({ url: address, token }),
  /** The platform's own monitoring; a region may have none. */
  monitoring: z
    .strictObject({
      url: address,
      user: plain(/^[A-Za-z0-9_.@-]{1,100}$/, "a plain user name"),
      password: token,
    })
    .optional(),
});
export type RegionEndpoints = z.infer<typeof RegionEndpoints>;

const cidr = plain(/^[0-9a-f.:]+\/\d{1,3}$/, "a network is written like 10.0.0.0/16");
const objectName = plain(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "the name of a Kubernetes object");

/** How a region's clusters are besides, as Shuttle must know it; a cluster by itself needs none of it. */
export const RegionSettings = z.strictObject({
  /** The load balancer before Envoy speaks PROXY protocol to it. */
  usesProxyProtocol: z.boolean().default(false),
  /** Proxies in front that append to X-Forwarded-For and are believed: 1 behind Cloudflare. */
  trustedHops: z.number().int().min(0).max(10).default(0),
  /** The Secret beside the Gateway with the Origin Certificate; without it only plain HTTP is spoken. */
  tlsSecret: objectName.optional(),
  managedDataCidrs: z.array(cidr).default([]),
  clusterCidrs: z.array(cidr).default([]),
  imagePullSecrets: z.array(objectName).default([]),
  storageClass: objectName.optional(),
  /** Pods; at four fifths the next cluster is due. */
  softLimit: z.number().int().min(1).default(1_000),
});
export type RegionSettings = z.infer<typeof RegionSettings>;

/** What a region's registry gives for its clusters. */
export const Region = z.strictObject({
  endpoints: RegionEndpoints.optional(),
  settings: RegionSettings.prefault({}),
});
export type Region = z.infer<typeof Region>;

/** All that one cluster's installation differs by from another's. */
export const ClusterParameters = z.strictObject({
  clusterId: z.uuid(),
  region: plain(/^[a-z0-9][a-z0-9-]{0,30}$/, "a region is written like nyc3"),
  /** Opens this cluster's desired state at Starbase, and nothing else. */
  token,
  starbaseUrl: address,
  /** What Starbase signs desired state with (the public halves); without it Shuttle takes it unsigned. */
  signingKeys: plain(/^[A-Za-z0-9_.:,;=+/-]{1,4000}$/, "the signing keys are one line").optional(),
  /** Without it the agents that send there are left out, as on a laptop. */
  endpoints: RegionEndpoints.optional(),
  /** Where Shuttle sends lines of the platform already, for when no endpoints are given: the agents stay as they are, too. */
  logsUrl: address.optional(),
  settings: RegionSettings.prefault({}),
  /** Whether the cluster's Shuttle is a pod of it; false where it runs elsewhere, as beside an embedded Starbase. */
  runsShuttle: z.boolean().default(true),
  /** Other images than `versions.json` names, by part: a mirror, or one pinned by digest. */
  images: z.record(z.string(), plain(/^[a-z0-9][A-Za-z0-9._:/@-]+$/, "an image reference")).default({}),
});
export type ClusterParameters = z.infer<typeof ClusterParameters>;

/** Of a cluster whose Shuttle runs elsewhere: what is brought knows neither Starbase nor a token. */
export const parametersWithoutShuttle = (
  own: Partial<Pick<ClusterParameters, "clusterId" | "region" | "settings" | "images" | "endpoints">> = {},
): ClusterParameters =>
  ClusterParameters.parse({
    clusterId: "00000000-0000-0000-0000-000000000000",
    region: "local",
    token: "not-used-in-this-cluster",
    starbaseUrl: "https://starbase.invalid",
    ...own,
    runsShuttle: false,
  });
