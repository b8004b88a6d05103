import { Fault } from "@starform/std/fault";
import { parseEnv, type Env } from "@starform/std/parse-env";
import { z } from "zod";
import type { ScrapeTarget } from "./metrics/scrape.ts";

const Variables = z.strictObject({
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4405),
  DATA_DIR: z.string({ error: "say which directory holds the data" }).min(1),
  /** Given as TELEMETRY_PASSWORD_FILE; without one only a loopback address may be served. */
  PASSWORD: z.string().min(8).optional(),
  /** Where no store of its own serves metrics: whose are fetched and kept here, as `url=token file`, one a line. */
  SCRAPE: z.string().default(""),
});

export type TelemetryConfig = {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly password: string | undefined;
  readonly scrape: readonly ScrapeTarget[];
};

/** Reads the `TELEMETRY_` variables; throws one sentence per wrong one. */
export function readConfig(env: Env): TelemetryConfig {
  const v = parseEnv("TELEMETRY_", Variables, env);
  if (v.PASSWORD === undefined && !isLoopback(v.HOST))
    throw new Fault(
      "invalid",
      `telemetry would serve every log to anyone who reaches ${v.HOST}: give TELEMETRY_PASSWORD_FILE, or set TELEMETRY_HOST=127.0.0.1`,
    );
  return {
    host: v.HOST,
    port: v.PORT,
    dataDir: v.DATA_DIR,
    password: v.PASSWORD,
    scrape: targetsIn(v.SCRAPE),
  };
}

const targetsIn = (text: string): ScrapeTarget[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const at = line.indexOf("=");
      if (at < 1 || !URL.canParse(line.slice(0, at)))
        throw new Fault(
          "invalid",
          `TELEMETRY_SCRAPE holds ${JSON.stringify(line)}: write <url>=<token file>, one a line`,
        );
      return { url: line.slice(0, at), tokenFile: line.slice(at + 1) };
    });

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
