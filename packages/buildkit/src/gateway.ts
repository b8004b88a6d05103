import { setTimeout as delay } from "node:timers/promises";
import type { GrpcChannel } from "./grpc-client.ts";
import { grpcCode, GrpcError } from "./grpc-framing.ts";
import { isRegular } from "./go-mode.ts";
import { fullReference, type Definition } from "./llb.ts";
import { codec, empty } from "./protocol.ts";

/** The bridge a frontend builds over. Ours runs in this process, so that the image's config is right on every builder. */
export type Bridge = {
  /** Folders are taken from this session and no other: two builds at once would else be given one of their sources. */
  readonly session: string;
  /** What the builder's graph operations can do, by its own names. */
  readonly llbCapabilities: ReadonlySet<string>;
  readonly frontendCapabilities: ReadonlySet<string>;
  /** Hands over a graph; the answer names its result. Rejects when the builder cannot read it. */
  solve(definition: Definition): Promise<string>;
  /** Has a frontend of the builder's make a graph, of which nothing runs before it is the result of the build. */
  graphBy(frontend: string, attrs: Readonly<Record<string, string>>): Promise<FrontendGraph>;
  /** The config (JSON) of an image the builder can reach. */
  imageConfig(reference: string): Promise<ImageConfig>;
  /** A file of a result, by its absolute path; rejects where there is none. All of it comes here: see `statFile` first. */
  readFile(result: string, path: string): Promise<Uint8Array>;
  /** What lies at that path, with links followed; rejects where there is nothing. */
  statFile(result: string, path: string): Promise<{ readonly isFile: boolean; readonly sizeBytes: number }>;
};

/** The part of an image's config that is read and written here. */
export type ImageConfig = {
  architecture?: string;
  os?: string;
  config?: {
    Env?: string[];
    Cmd?: string[];
    Entrypoint?: string[];
    WorkingDir?: string;
    User?: string;
    Labels?: Record<string, string>;
  };
  [other: string]: unknown;
};

export type FrontendResult = { readonly ref?: string; readonly config?: ImageConfig } | FrontendGraph;

/** What a frontend of the builder's made: what will run, and what the builder knows it by. */
export type FrontendGraph = {
  /** One for each platform. */
  readonly definitions: readonly Definition[];
  readonly result: Partial<Result>;
};
export type Frontend = (bridge: Bridge) => Promise<FrontendResult>;

type Capability = { id: string; enabled: boolean };
type Ref = { id?: string; def?: Definition };
type Result = {
  ref?: Ref;
  refs?: { refs: Record<string, Ref> };
  refOld?: string;
  metadata: Record<string, Uint8Array>;
};
const service = "/moby.buildkit.v1.frontend.LLBBridge";
const methods = {
  ping: {
    path: `${service}/Ping`,
    input: empty,
    output: codec<{ frontend: Capability[]; llb: Capability[] }>("PingResponse"),
  },
  solve: {
    path: `${service}/Solve`,
    input: codec<{
      definition: Definition;
      frontend: string;
      frontendOpt: Readonly<Record<string, string>>;
      allowResultReturn: boolean;
      allowResultArrayRef: boolean;
    }>("BridgeSolveRequest"),
    output: codec<{ ref: string; result?: Result }>("BridgeSolveResponse"),
  },
  giveBack: {
    path: `${service}/Return`,
    input: codec<{ result: Partial<Result>; error: { code: number; message: string } }>("ReturnRequest"),
    output: empty,
  },
  imageConfig: {
    path: `${service}/ResolveImageConfig`,
    input: codec<{ ref: string; resolveMode: string; logName: string }>("ResolveImageRequest"),
    output: codec<{ digest: string; config: Uint8Array }>("ResolveImageResponse"),
  },
  readFile: {
    path: `${service}/ReadFile`,
    input: codec<{ ref: string; filePath: string }>("ReadFileRequest"),
    output: codec<{ data?: Uint8Array }>("ReadFileResponse"),
  },
  statFile: {
    path: `${service}/StatFile`,
    input: codec<{ ref: string; path: string }>("StatFileRequest"),
    output: codec<{ stat?: { mode?: number; size?: number } }>("StatFileResponse"),
  },
};

/** Runs a frontend in this process for the build `ref`, and hands its result (or its failure) to the builder. */
export async function runFrontend(
  channel: GrpcChannel,
  { ref, session }: { ref: string; session: string },
  frontend: Frontend,
  signal: AbortSignal,
): Promise<void> {
  const options = { metadata: { "buildkit-controlapi-buildid": ref }, signal };
  const pong = await untilKnown(() => channel.unary(methods.ping, {}, options), signal);
  const bridge: Bridge = {
    session,
    llbCapabilities: enabled(pong.llb),
    frontendCapabilities: enabled(pong.frontend),
    async solve(definition) {
      const asked = { definition, allowResultReturn: true, allowResultArrayRef: true };
      const { ref: old, result } = await channel.unary(methods.solve, asked, options);
      return result?.ref?.id || result?.refOld || old || "";
    },
    async graphBy(name, attrs) {
      const asked = {
        frontend: name,
        frontendOpt: attrs,
        allowResultReturn: true,
        allowResultArrayRef: true,
      };
      const { result } = await channel.unary(methods.solve, asked, options);
      return graphOf(result);
    },
    async imageConfig(reference) {
      const asked = {
        ref: fullReference(reference),
        resolveMode: "local",
        // As Dockerfile builds call it; failures are told by the name.
        logName: `[internal] load metadata for ${reference}`,
      };
      const { config } = await channel.unary(methods.imageConfig, asked, options);
      return JSON.parse(Buffer.from(config).toString()) as ImageConfig;
    },
    async readFile(result, filePath) {
      const { data } = await channel.unary(methods.readFile, { ref: result, filePath }, options);
      return data ?? new Uint8Array();
    },
    async statFile(result, path) {
      const { stat = {} } = await channel.unary(methods.statFile, { ref: result, path }, options);
      return { isFile: isRegular(stat.mode ?? 0), sizeBytes: stat.size ?? 0 };
    },
  };
  try {
    await channel.unary(methods.giveBack, { result: resultOf(await frontend(bridge)) }, options);
  } catch (error) {
    // The builder keeps waiting for a frontend that says nothing.
    const told = { code: 2, message: error instanceof Error ? error.message : String(error) };
    await channel.unary(methods.giveBack, { error: told }, options).catch(() => undefined);
    throw error;
  }
}

/** The graph itself stays with the builder, which goes by the names of its ends. */
function graphOf({ ref, refs, metadata = {} }: Partial<Result> = {}): FrontendGraph {
  const named = Object.entries(refs?.refs ?? {});
  const ends = [...(ref ? [ref] : []), ...named.map(([, end]) => end)];
  const definitions = ends.flatMap(({ id = "", def }) => {
    if (def) return [def];
    // A frontend may end in nothing at all, which has no name.
    if (id === "") return [];
    throw new Error("the builder does not say what its frontend made of this build");
  });
  const only = ({ id = "" }: Ref): Ref => ({ id });
  return {
    definitions,
    result: {
      metadata,
      ...(ref && { ref: only(ref) }),
      ...(refs && {
        refs: { refs: Object.fromEntries(named.map(([platform, end]) => [platform, only(end)])) },
      }),
    },
  };
}

function resultOf(made: FrontendResult): Partial<Result> {
  if ("result" in made) return made.result;
  const { ref: id, config } = made;
  const metadata = config ? { "containerimage.config": Buffer.from(JSON.stringify(config)) } : {};
  return { metadata, ...(id && { ref: { id } }) };
}

const enabled = (list: readonly Capability[]): ReadonlySet<string> =>
  new Set(list.filter((one) => one.enabled).map(({ id }) => id));

/** The build becomes known a moment after it was asked for, on another stream. */
async function untilKnown<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const isEarly =
        error instanceof GrpcError &&
        error.code !== grpcCode.unimplemented &&
        /no such job|not found|no build/i.test(error.message);
      if (!isEarly || attempt >= 20) throw error;
      await delay(50 * attempt, undefined, { signal });
    }
  }
}
