import { type Env, parseEnv } from "@starform/std/parse-env";
import { z } from "zod";

const port = z.coerce.number().int().min(0).max(65_535);

const Variables = z.strictObject({
  HOST: z.string().default("127.0.0.1"),
  /** Of the apps' traffic. */
  PORT: port.default(4402),
  ADMIN_PORT: port.default(4403),
  ADMIN_TOKEN: z.string().min(16, "at least 16 characters"),
  STATE_FILE: z.string().min(1),
  /** ClickHouse's HTTP interface; without it no access record is written. */
  TELEMETRY_URL: z.url().optional(),
  TELEMETRY_USER: z.string().default("default"),
  TELEMETRY_PASSWORD: z.string().default(""),
  BUFFER_DIR: z.string().min(1).optional(),
});

export type Config = ReturnType<typeof readConfig>;

/** Reads `GATEWAY_*`; nothing else in the gateway looks at the environment. */
export function readConfig(env: Env) {
  const v = parseEnv("GATEWAY_", Variables, env);
  return {
    traffic: { host: v.HOST, port: v.PORT },
    admin: { host: "127.0.0.1", port: v.ADMIN_PORT, token: v.ADMIN_TOKEN },
    stateFile: v.STATE_FILE,
    telemetry:
      v.TELEMETRY_URL === undefined
        ? undefined
        : {
            url: v.TELEMETRY_URL,
            user: v.TELEMETRY_USER,
            password: v.TELEMETRY_PASSWORD,
            bufferDir: v.BUFFER_DIR ?? `${v.STATE_FILE}.lines`,
          },
  };
}
