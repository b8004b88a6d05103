import { setVariables } from "@starform/contract/variables";
import { pino } from "pino";
import { expect, test } from "vitest";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import { openApiServer } from "../src/wiring/api.ts";
import { openWorker } from "../src/wiring/worker.ts";
import { aProject, openApiWorld, type ApiWorld } from "./api-world.ts";

const logger = pino({ level: "silent" });
const foreign = `k1:${Buffer.alloc(32, 8).toString("base64")}`;
const refusal =
  /^what is sealed in this database was sealed with another encryption key k1 .*bring back secrets\/encryption\.key .*empty database$/;

const atDatabase = async <T>(
  { config }: ApiWorld,
  work: (db: ReturnType<typeof openDatabase>["db"]) => Promise<T>,
): Promise<T> => {
  await using database = openDatabase({ ...config.database, onError: () => undefined });
  return await work(database.db);
};

test("a database that was used with another key of the same id is refused to API and Worker, and a key added to the old one is not", async () => {
  await using world = await openApiWorld();
  const refused = { ...world.config, encryptionKeys: foreign };
  await expect(openApiServer(refused, logger)).rejects.toThrow(refusal);
  await expect(openWorker(refused, logger)).rejects.toThrow(refusal);
  await world.reopen();
  const rotated = `${foreign.replace("k1", "k2")},${world.config.encryptionKeys}`;
  await using _api = await openApiServer(
    { ...world.config, encryptionKeys: rotated, http: { ...world.config.http, port: 0 } },
    logger,
  );
  const kept = await atDatabase(world, (db) => db.selectFrom("encryption_keys").selectAll().execute());
  expect(kept.map(({ id }) => id).toSorted()).toEqual(["k1", "k2"]);
  expect(new Set(kept.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  expect(JSON.stringify(kept)).not.toContain(rotated.split(":")[1]);
});

test("a database used before keys were noted is refused to a key that does not open what it holds, and is left to its own", async () => {
  await using world = await openApiWorld();
  const { ref } = await aProject(world);
  await world.owner(setVariables, { params: ref, query: {}, body: { variables: { TOKEN: "hunter2" } } });
  await atDatabase(world, (db) => db.deleteFrom("encryption_keys").execute());
  await expect(openApiServer({ ...world.config, encryptionKeys: foreign }, logger)).rejects.toThrow(refusal);
  await world.reopen();
});
