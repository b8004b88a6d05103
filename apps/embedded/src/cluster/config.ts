import { readFileSync } from "node:fs";
import { Fault } from "@starform/std/fault";
import type { Env } from "@starform/std/parse-env";

const stated = (env: Env, name: string): string => {
  const value = env[name];
  if (!value) throw new Fault("invalid", `${name} is not set: this program is started by npm start`);
  return value;
};

/** What the supervisor tells the door of the registry. */
export const readDoorConfig = (env: Env) => {
  const address = stated(env, "DOOR_ADDRESS");
  const pemFile = env["DOOR_PEM_FILE"];
  return {
    address,
    port: Number(address.split(":")[1]),
    registryPort: Number(stated(env, "DOOR_REGISTRY_PORT")),
    apiPort: Number(stated(env, "DOOR_API_PORT")),
    pem: pemFile ? readFileSync(pemFile, "utf8") : undefined,
  };
};
