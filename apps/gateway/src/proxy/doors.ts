import { BlockList, createServer, type Server, type Socket } from "node:net";
import type { GatewayDoor } from "@starform/contract/gateway";
import { wordsOf } from "@starform/std/fault";
import { listen } from "../listen.ts";
import { placeOf } from "../routing/route-table.ts";
import { nowMs } from "./exchange.ts";

/** Where the gateway listens inside the networks of apps, beside its own port. */
export type Doors = Disposable & {
  /** Listens there and keeps it a while for the table that will name it; resolves to why it cannot. */
  open(door: GatewayDoor): Promise<string | undefined>;
  /** These are in the table: they are opened, and tried again while they cannot be; others are closed. */
  follow(doors: readonly GatewayDoor[]): void;
};

type Opening = {
  door: GatewayDoor;
  friends: BlockList;
  server: Server | undefined;
  attempt: Promise<string | undefined> | undefined;
  isInTable: boolean;
  askedAtMs: number;
};

const againMs = 1_000;
/** From the question to the table that names the door an app is made and started. */
const keepMs = 600_000;

export function openDoors(clientsMax: number, serve: (socket: Socket, door: string) => void): Doors {
  const openings = new Map<string, Opening>();
  const told = new Set<string>();

  const openingOf = (door: GatewayDoor): Opening => {
    const known = openings.get(placeOf(door));
    const friends = friendsOf(door);
    if (known) return Object.assign(known, { door, friends });
    const fresh: Opening = {
      door,
      friends,
      server: undefined,
      attempt: undefined,
      isInTable: false,
      askedAtMs: -Infinity,
    };
    openings.set(placeOf(door), fresh);
    return fresh;
  };
  const attempt = (opening: Opening): Promise<string | undefined> => {
    if (opening.server) return Promise.resolve(undefined);
    opening.attempt ??= tryToListen(opening).finally(() => (opening.attempt = undefined));
    return opening.attempt;
  };
  const tryToListen = async (opening: Opening): Promise<string | undefined> => {
    const { door } = opening;
    const place = placeOf(door);
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (opening.friends.check(socket.remoteAddress ?? "")) serve(socket, place);
      else socket.destroy();
    });
    server.maxConnections = clientsMax;
    try {
      await listen(server, door);
    } catch (error) {
      if (!told.has(place))
        console.error(`no app is reached at ${place} by its neighbours: ${wordsOf(error)}`);
      told.add(place);
      return wordsOf(error);
    }
    told.delete(place);
    server.on("error", () => undefined);
    if (openings.get(place) === opening) opening.server = server;
    else server.close();
    return undefined;
  };
  const tidy = (): void => {
    for (const [place, opening] of openings) {
      if (opening.isInTable) void attempt(opening);
      else if (nowMs() - opening.askedAtMs > keepMs) {
        openings.delete(place);
        opening.server?.close();
      }
    }
  };
  const tidying = setInterval(tidy, againMs);
  tidying.unref();

  return {
    open(door) {
      const opening = openingOf(door);
      opening.askedAtMs = nowMs();
      return attempt(opening);
    },
    follow(doors) {
      for (const opening of openings.values()) opening.isInTable = false;
      for (const door of doors) openingOf(door).isInTable = true;
      tidy();
    },
    [Symbol.dispose]() {
      clearInterval(tidying);
      for (const { server } of openings.values()) server?.close();
      openings.clear();
    },
  };
}

/** Who may come in: the network of that door. Other networks of this machine reach its address too. */
function friendsOf({ from }: GatewayDoor): BlockList {
  const [address = "", prefix = "32"] = from.split("/");
  const friends = new BlockList();
  friends.addSubnet(address, Number(prefix), "ipv4");
  return friends;
}
