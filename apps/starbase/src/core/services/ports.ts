import type { ServiceHealth, ServiceSettings, Source } from "@starform/contract/services";
import type { ServiceType } from "@starform/contract/names";
import type { PageOn } from "../projects/ports.ts";

export type Service = {
  readonly id: string;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly name: string;
  readonly type: ServiceType;
  readonly source: Source;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** A service as it stands in one environment. */
export type PlacedService = Service & {
  readonly environmentId: string;
  readonly environment: string;
  readonly settings: ServiceSettings;
  readonly restartNonce: string;
  readonly targetDeploymentId: string | null;
  /** The last one that was wholly up: what a failure falls back on. */
  readonly activeDeploymentId: string | null;
  readonly hostname: string | null;
  readonly health: Partial<ServiceHealth>;
  readonly healthAt: Date | null;
};

export interface ServiceStore {
  /** Fault `name_taken` when the project has one of that name. */
  insert(service: Service): Promise<void>;
  place(place: { serviceId: string; environmentId: string; settings: ServiceSettings }): Promise<void>;
  ofProject(projectId: string): Promise<Service[]>;
  /** Of the whole installation: those of the ids that are of services. */
  existing(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** By id or name; with `lock`, until the transaction ends. */
  placed(
    projectId: string,
    environmentId: string,
    ref: string,
    lock?: "for update",
  ): Promise<PlacedService | undefined>;
  allPlaced(projectId: string, environmentId: string): Promise<PlacedService[]>;
  /** Oldest first. */
  page(projectId: string, environmentId: string, page: PageOn): Promise<PlacedService[]>;
  /** Every place of one service. */
  placesOf(projectId: string, serviceId: string): Promise<PlacedService[]>;
  update(
    projectId: string,
    serviceId: string,
    change: { name?: string; source?: Source; updatedAt: Date },
  ): Promise<void>;
  setSettings(serviceId: string, environmentId: string, settings: ServiceSettings): Promise<void>;
  setRestartNonce(serviceId: string, environmentId: string, nonce: string): Promise<void>;
  setTarget(serviceId: string, environmentId: string, deploymentId: string | null): Promise<void>;
  setActive(serviceId: string, environmentId: string, deploymentId: string | null): Promise<void>;
  setHealth(serviceId: string, environmentId: string, health: ServiceHealth, at: Date): Promise<void>;
  /** The next deployment number of the place. */
  nextNumber(serviceId: string, environmentId: string): Promise<number>;
  /** Fault `name_taken` when another service has the host. */
  setHost(serviceId: string, environmentId: string, hostname: string): Promise<void>;
  remove(projectId: string, serviceId: string): Promise<void>;
}
