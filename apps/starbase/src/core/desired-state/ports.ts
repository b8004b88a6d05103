import type { DesiredService } from "@starform/contract/clusters";
import type { Project } from "../access/ports.ts";
import type { ImageTraits } from "../builds/image-traits.ts";
import type { Deployment } from "../deployments/ports.ts";
import type { ProjectCredential } from "../images/ports.ts";
import type { PlacedService } from "../services/ports.ts";

/** What the desired state of a cluster is made from: one place of a service with the deployment it should run. */
export type DesiredRow = {
  readonly place: PlacedService;
  readonly projectSlug: string;
  readonly namespace: string;
  readonly isEphemeral: boolean;
  readonly deployment: Deployment;
  /** What its build told of the image; nothing of one that was built elsewhere. */
  readonly imageTraits: ImageTraits;
  /** The project's sign-ins to registries. */
  readonly signIns: readonly ProjectCredential[];
};

export interface DesiredStateStore {
  /** Version and rows of one moment; `removed` is what the cluster must still be told to take away. */
  read(clusterId: string): Promise<
    | {
        version: number;
        lbSizeUnits: number;
        runtime: string;
        rows: DesiredRow[];
        removed: DesiredService[];
      }
    | undefined
  >;
  /** What desired state names of a project, or of one service or one environment of it. */
  rowsOf(what: {
    projectId: string;
    serviceId?: string | undefined;
    environmentId?: string | undefined;
  }): Promise<DesiredRow[]>;
  /** The cluster has this version: what it was told to take away by then need not be said again. */
  removalsSeen(clusterId: string, version: number): Promise<void>;
  version(clusterId: string): Promise<number | undefined>;
  /** The cluster a project is pinned to. */
  clusterOf(projectId: string): Promise<string | undefined>;
  /** The project of a service, whoever may see it: for work in the platform's own name. */
  projectOfService(serviceId: string): Promise<Project | undefined>;
  /** The place a cluster may report on; undefined when it is not on that cluster. */
  placeOn(
    clusterId: string,
    serviceId: string,
    environment: string,
  ): Promise<{ projectId: string; place: PlacedService } | undefined>;
}
