import { existsSync } from "node:fs";
import { metadataWall } from "../metadata-wall.ts";

/** What `GET /networks` answers of one, as far as it is looked at. */
export type ListedNetwork = {
  readonly Id: string;
  readonly Options?: Readonly<Record<string, string>> | null;
};

/** The walls around the networks of apps. */
export type NetworkWalls = {
  /** Around these, which are all there are. Where it cannot be done the operator is told, once. */
  around(networks: readonly ListedNetwork[]): Promise<void>;
};

/**
 * By the bridges of our own networks: whoever started the engine, and whatever rules it or its owner keeps for others,
 * these are ours. A wall stands before the first container of its network, and is gone with the last network.
 */
export function networkWalls(owner: string, warn: (sentence: string) => void): NetworkWalls {
  const wall = metadataWall({ owner, hook: "PREROUTING", warn });
  return {
    async around(networks) {
      const bridges = networks.map(bridgeOf);
      const isHere = (bridge: string): boolean => existsSync(`/sys/class/net/${bridge}`);
      const elsewhere = bridges.find((bridge) => !isHere(bridge));
      if (elsewhere !== undefined)
        wall.lacks(
          `the Docker Engine keeps its networks apart from this machine's (there is no ${elsewhere})`,
        );
      await wall.around(bridges.filter(isHere).map((bridge) => `-i ${bridge}`));
    },
  };
}

/** Where the engine runs in a machine of its own, with a firewall that is out of reach. */
export const noWalls: NetworkWalls = { around: async () => undefined };

const bridgeOf = ({ Id: id, Options: options }: ListedNetwork): string =>
  options?.["com.docker.network.bridge.name"] ?? `br-${id.slice(0, 12)}`;
