import { z } from "zod";

/** What of the environment says who builds; `_FILE` in place of a value is read like everywhere. */
export const buildServiceVariables = {
  /** `auto`: the process builder or the Docker Engine, as the runtime is. */
  BUILD_SERVICE: z.enum(["auto", "process", "buildkit", "depot"]).default("auto"),
  /** `unix:///path`, `tcp://host:port`, or `docker:///path` for the BuildKit inside a Docker Engine. */
  BUILDKIT_ENDPOINT: z.string().optional(),
  /** PEM texts: whom to trust, and who we are. */
  BUILDKIT_CA: z.string().optional(),
  BUILDKIT_CERT: z.string().optional(),
  BUILDKIT_KEY: z.string().optional(),
  /** The name in the builder's certificate, where it is not the endpoint's. */
  BUILDKIT_SERVER_NAME: z.string().optional(),
  /** What its cache may hold; the Worker removes what was used longest ago. */
  BUILDKIT_CACHE_GB: z.coerce.number().int().min(1).default(30),
  DEPOT_TOKEN: z.string().optional(),
  DEPOT_API_URL: z.url().default("https://api.depot.dev"),
  DEPOT_REGION: z.string().default("us-east-1"),
  DEPOT_CACHE_GB: z.coerce.number().int().min(1).default(30),
  /** What plans start from in place of Railpack's images; on this machine where its own bases lack a tool. */
  BUILDER_IMAGE: z.string().optional(),
  RUNTIME_IMAGE: z.string().optional(),
};

const Variables = z.object(buildServiceVariables);

export type BuildKitEndpoint =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "docker"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "tls";
      readonly host: string;
      readonly port: number;
      readonly servername: string;
      readonly ca: string;
      readonly cert: string;
      readonly key: string;
    };

export type Bases = { readonly builder: string; readonly runtime: string };

export type BuildServiceConfig =
  | { readonly kind: "auto"; readonly bases: Bases | undefined }
  | { readonly kind: "process" }
  | {
      readonly kind: "buildkit";
      readonly endpoint: BuildKitEndpoint;
      readonly cacheGb: number;
      readonly bases: Bases | undefined;
    }
  | {
      readonly kind: "depot";
      readonly apiUrl: string;
      readonly token: string;
      readonly regionId: string;
      readonly cacheGb: number;
      readonly bases: Bases | undefined;
    };

/** Throws with the name of what is missing or wrong. */
export function buildServiceOf(v: z.output<typeof Variables>): BuildServiceConfig {
  const kind = v.BUILD_SERVICE;
  if (kind === "auto") return { kind, bases: basesOf(v) };
  if (kind === "process") return { kind };
  if (kind === "buildkit")
    return { kind, endpoint: endpointOf(v), cacheGb: v.BUILDKIT_CACHE_GB, bases: basesOf(v) };
  return {
    kind,
    apiUrl: v.DEPOT_API_URL.replace(/\/$/, ""),
    token: stated("BUILD_SERVICE is depot", "DEPOT_TOKEN", v.DEPOT_TOKEN),
    regionId: v.DEPOT_REGION,
    cacheGb: v.DEPOT_CACHE_GB,
    bases: basesOf(v),
  };
}

function endpointOf(v: z.output<typeof Variables>): BuildKitEndpoint {
  const text = stated("BUILD_SERVICE is buildkit", "BUILDKIT_ENDPOINT", v.BUILDKIT_ENDPOINT);
  const [, socket, path = ""] = /^(unix|docker):\/\/(\/.+)$/.exec(text) ?? [];
  if (socket === "unix" || socket === "docker") return { kind: socket, path };
  const [, host, port] = /^tcp:\/\/([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})$/.exec(text) ?? [];
  if (!host || !port)
    throw new Error(
      `STARBASE_BUILDKIT_ENDPOINT is ${JSON.stringify(text)}: write unix:///path, docker:///path or tcp://host:port`,
    );
  const place = { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
  if (!v.BUILDKIT_CA && !v.BUILDKIT_CERT && !v.BUILDKIT_KEY) return plainTcp(place);
  const why = "BUILDKIT_ENDPOINT is reached with certificates";
  return {
    kind: "tls",
    ...place,
    servername: v.BUILDKIT_SERVER_NAME ?? place.host,
    ca: stated(why, "BUILDKIT_CA", v.BUILDKIT_CA),
    cert: stated(why, "BUILDKIT_CERT", v.BUILDKIT_CERT),
    key: stated(why, "BUILDKIT_KEY", v.BUILDKIT_KEY),
  };
}

/** Whoever reaches a builder runs what he likes on it, and reads what it is sent: never over a network in the clear. */
function plainTcp(place: { host: string; port: number }): BuildKitEndpoint {
  if (/^(127\.|localhost$|::1$)/.test(place.host)) return { kind: "tcp", ...place };
  throw new Error(
    "STARBASE_BUILDKIT_ENDPOINT is on another machine: give STARBASE_BUILDKIT_CA_FILE, _CERT_FILE and _KEY_FILE",
  );
}

function basesOf(v: z.output<typeof Variables>): Bases | undefined {
  if (!v.BUILDER_IMAGE && !v.RUNTIME_IMAGE) return undefined;
  return {
    builder: stated("RUNTIME_IMAGE is set", "BUILDER_IMAGE", v.BUILDER_IMAGE),
    runtime: stated("BUILDER_IMAGE is set", "RUNTIME_IMAGE", v.RUNTIME_IMAGE),
  };
}

function stated(why: string, name: string, value: string | undefined): string {
  if (value) return value;
  throw new Error(`STARBASE_${why}, but STARBASE_${name} is not set`);
}
