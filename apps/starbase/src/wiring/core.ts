import { systemClock, type Clock } from "@starform/std/clock";
import type { Logger } from "pino";
import { accessTokens } from "../adapters/local/access-tokens.ts";
import { fingerprintsOf, secretBox } from "../adapters/local/secret-box.ts";
import { listenForChanges } from "../adapters/postgres/changes.ts";
import { openDatabase } from "../adapters/postgres/database.ts";
import { refuseForeignKeys } from "../adapters/postgres/encryption-keys.ts";
import { requireSchema } from "../adapters/postgres/migrate.ts";
import { outageLog } from "../adapters/postgres/outage.ts";
import { postgresStores, postgresTransact } from "../adapters/postgres/stores.ts";
import type { Config } from "../config.ts";
import { authorizer } from "../core/access/authorize.ts";
import { createDeployment } from "../core/deployments/create-deployment.ts";
import { pinImage, type PinDeps } from "../core/images/pin-image.ts";
import type { Stores, Transact, UnitOfWork } from "../core/stores.ts";
import type { BookDeps } from "../core/variables/open-book.ts";
import { openRegistry, resolverOf } from "./registry.ts";

export type Core = Awaited<ReturnType<typeof openCore>>;

/** What both processes stand on: the database, its stores and changes, the keys, and who may do what. */
export async function openCore(config: Config, logger: Logger, stack: AsyncDisposableStack) {
  await requireSchema(config.database.url);
  const clock = systemClock;
  const outage = outageLog(logger, clock);
  const { db } = stack.use(openDatabase({ ...config.database, onError: outage.lost }));
  const box = secretBox(config.encryptionKeys);
  await refuseForeignKeys(db, fingerprintsOf(config.encryptionKeys), box);
  const changes = stack.use(await listenForChanges(config.database.url, outage));
  const stores = postgresStores(db);
  const transact = postgresTransact(db);
  const registry = openRegistry(config, { clock }, stack);
  const pinning: PinDeps = { resolver: resolverOf(config, registry), registry, box };
  const book: BookDeps = { box, addresses: { publicUrl: publicUrlOf(config.urls.gateway) } };
  return {
    db,
    outage,
    changes,
    clock,
    box,
    book,
    registry,
    pinning,
    accessTokens: accessTokens(config.sessionKey),
    ...coreOver({ clock, book, pinning }, stores, transact),
  };
}

/** What stands on the stores: over the database, or over one transaction of it. */
const coreOver = (
  { clock, book, pinning }: { clock: Clock; book: BookDeps; pinning: PinDeps },
  stores: Stores,
  transact: Transact,
) => ({
  stores,
  transact,
  authorize: authorizer({ access: stores.access }),
  createDeployment: createDeployment({ transact, stores, clock, book, pin: pinImage(pinning, stores) }),
});

/** The same core, all of whose work is part of one transaction. */
export const joinedCore = (core: Core, uow: UnitOfWork): Core => ({
  ...core,
  ...coreOver(core, uow, (work) => work(uow)),
});

/** The gateway's scheme and port with a service's host. */
export const publicUrlOf =
  (gatewayUrl: string) =>
  (hostname: string): string => {
    const url = new URL(gatewayUrl);
    url.hostname = hostname;
    return url.toString().replace(/\/$/, "");
  };
