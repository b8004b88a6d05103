import { z } from "zod";
import { Id, Timestamp } from "./names.ts";
import { PageQuery, pageOf } from "./pages.ts";
import { route } from "./route.ts";

/**
 * The records of clusters, for those who run the platform; what a cluster itself calls is in clusters.ts. A token is shown
 * once and kept as a hash: a lost one is rotated.
 */
const area = "clusters";

export const Region = z
  .string()
  .min(2, "must have at least 2 characters")
  .max(31, "must have at most 31 characters")
  .regex(/^[a-z0-9][a-z0-9-]*$/, "write it like nyc3");

export const ClusterRecord = z
  .object({
    id: Id,
    region: z.string(),
    /** `docker`, `process` or `kubernetes`; what it said when it registered. */
    runtime: z.string(),
    shuttleVersion: z.string().nullable(),
    kubernetesVersion: z.string().nullable(),
    desiredVersion: z.number().int(),
    projects: z.number().int(),
    /** As Shuttle counted them last; `null` before it did. */
    pods: z.number().int().nullable(),
    podsSoftLimit: z.number().int().nullable(),
    lastSeenAt: Timestamp.nullable(),
    createdAt: Timestamp,
  })
  .meta({ id: "ClusterRecord" });
export type ClusterRecord = z.infer<typeof ClusterRecord>;

/** What a cluster is installed with. */
export const ClusterCredentials = z
  .object({
    cluster: ClusterRecord,
    /** Opens this cluster's desired state and takes its reports. Shown this once. */
    token: z.string(),
    /** The public halves of the keys that desired state is signed with; `null` where it is not signed. */
    signingKeys: z.string().nullable(),
  })
  .meta({ id: "ClusterCredentials" });
export type ClusterCredentials = z.infer<typeof ClusterCredentials>;

export const listClusters = route({
  id: "listClusters",
  method: "GET",
  path: "/v1/clusters",
  area,
  summary: "Every cluster of the installation, oldest first. For the platform's owner.",
  query: PageQuery,
  response: pageOf(ClusterRecord),
});

export const createCluster = route({
  id: "createCluster",
  method: "POST",
  path: "/v1/clusters",
  area,
  status: 201,
  summary: "Makes the record of a cluster and its token; `starform cluster bootstrap` installs it.",
  body: z.object({ region: Region }),
  response: ClusterCredentials,
});

export const rotateClusterToken = route({
  id: "rotateClusterToken",
  method: "POST",
  path: "/v1/clusters/:cluster/token",
  area,
  isIdempotent: true,
  summary:
    "A new token for a cluster; the old one is refused at once, and the cluster runs on until it has the new.",
  params: z.object({ cluster: Id }),
  response: ClusterCredentials,
});
