import { createHash } from "node:crypto";
import type { GatewayDoor } from "@starform/contract/gateway";
import { wordsOf } from "@starform/std/fault";
import { inTurns } from "@starform/std/in-turn";
import { label } from "../labels.ts";
import { doorAt } from "./container-state.ts";
import { filters, messageOf, type DockerApi } from "./docker-api.ts";
import type { ListedNetwork, NetworkWalls } from "./network-walls.ts";

type Labels = Readonly<Record<string, string>>;

export type ProjectNetwork = {
  readonly name: string;
  /** This machine's place in it. */
  readonly door: GatewayDoor | undefined;
};

/** One network per environment of a project: its services see each other by name, and nobody else's. */
export type ProjectNetworks = {
  /** The network for an instance of these labels, behind its wall; made if need be. */
  ensure(labels: Labels): Promise<ProjectNetwork>;
  /** Sees to the walls of all there are. */
  wall(): Promise<void>;
  /** Removes those nothing uses any more. */
  prune(): Promise<void>;
};

export function projectNetworks(api: DockerApi, clusterId: string, walls: NetworkWalls): ProjectNetworks {
  // The engine makes two networks of one name when it is asked twice at once, so one is asked for at a time.
  const inTurn = inTurns();
  const own = { "starform.io/managed-by": "shuttle", "starform.io/cluster-id": clusterId };
  const create = (name: string) =>
    api
      .call("POST", "/networks/create", {
        Name: name,
        CheckDuplicate: true,
        Driver: "bridge",
        Labels: own,
      })
      .catch((error: unknown) => ({ status: 500, body: { message: wordsOf(error) } }));
  const find = async (name: string): Promise<ProjectNetwork | undefined> => {
    const { status, body } = await api.call("GET", `/networks/${name}`);
    return status === 200 ? { name, door: doorIn(body as SeenNetwork) } : undefined;
  };
  const all = async (): Promise<ListedNetwork[]> => {
    const wanted = Object.entries(own).map(([key, value]) => `${key}=${value}`);
    return (await api.call("GET", `/networks?${filters({ label: wanted })}`)).body as ListedNetwork[];
  };
  const wall = async (): Promise<void> => walls.around(await all());
  const prune = async (): Promise<void> => {
    for (const { Id: id } of await all()) {
      const seen = await api.call("GET", `/networks/${id}`);
      const users = (seen.body as { Containers?: Record<string, unknown> } | undefined)?.Containers ?? {};
      if (Object.keys(users).length === 0) await api.call("DELETE", `/networks/${id}`);
    }
    await wall();
  };
  const findOrMake = async (name: string): Promise<ProjectNetwork> => {
    const known = await find(name);
    if (known) return known;
    let made = await create(name);
    if (made.status !== 201 && made.status !== 409) {
      // An engine has addresses for some thirty networks: those of environments that are gone make room.
      await prune();
      made = await create(name);
    }
    if (made.status !== 201 && made.status !== 409)
      throw new Error(`the network of the project could not be made: ${messageOf(made)}`);
    return (await find(name)) ?? { name, door: undefined };
  };
  return {
    ensure: (labels) =>
      inTurn(async () => {
        const network = await findOrMake(networkName(clusterId, labels));
        await wall();
        return network;
      }),
    wall: () => inTurn(wall),
    prune: () => inTurn(prune),
  };
}

type SeenNetwork = {
  readonly IPAM?: {
    readonly Config?: readonly { readonly Gateway?: string; readonly Subnet?: string }[] | null;
  };
};
function doorIn({ IPAM: ipam }: SeenNetwork): GatewayDoor | undefined {
  const { Gateway: machine, Subnet: subnet } = ipam?.Config?.[0] ?? {};
  const prefixLength = Number(subnet?.split("/")[1]);
  return machine && prefixLength ? doorAt(machine, prefixLength) : undefined;
}

const networkName = (clusterId: string, labels: Labels): string => {
  const key = `${clusterId}/${label(labels, "project-id")}/${label(labels, "environment")}`;
  return `starform-${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;
};
