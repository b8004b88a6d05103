import { createHash } from "node:crypto";
import { codec } from "./protocol.ts";

/**
 * BuildKit's low-level graph. Each function makes a vertex from others; nothing runs until a definition of the
 * last one is solved. What BuildKit 0.8 (Docker 20.10) does not know says which capability to ask for first.
 */
export type Vertex = {
  readonly digest: string;
  readonly bytes: Buffer;
  readonly inputs: readonly Vertex[];
  /** Shown in progress. */
  readonly name: string;
};

/** A file tree in the graph; `undefined` is the empty tree. */
export type Tree = Vertex | undefined;

export type Definition = {
  def: Uint8Array[];
  metadata: Record<string, { description: Record<string, string>; ignoreCache: boolean }>;
};

type OpInput = { digest: string; index: number };
const ops = codec<Record<string, unknown>>("Op");
const empty = -1;

function vertex(name: string, inputs: readonly Vertex[], op: Record<string, unknown>): Vertex {
  const references: OpInput[] = inputs.map(({ digest }) => ({ digest, index: 0 }));
  const bytes = ops.encode({ inputs: references, ...op });
  return { digest: digestOf(bytes), bytes, inputs, name };
}

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/**
 * An image's files. `local` looks in the engine's own store before a registry. With a session they are this build's own:
 * of two builds at once that share them, BuildKit 0.8 finds nothing in its cache for whoever builds again before the
 * other has ended.
 */
export function image(
  reference: string,
  options: { name?: string; resolve?: "local" | "default"; session?: string } = {},
): Vertex {
  const attrs = {
    ...(options.resolve !== "default" && { "image.resolvemode": "local" }),
    // Builders pass over what they do not know, but tell one vertex from another by it.
    ...(options.session && { "starform.session": options.session }),
  };
  const source = { identifier: `docker-image://${fullReference(reference)}`, attrs };
  return vertex(options.name ?? `use image ${reference}`, [], { source });
}

/** `node:24` is written out as `docker.io/library/node:24`. */
export function fullReference(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const path = hasHost ? reference : `docker.io/${rest.length === 0 ? "library/" : ""}${reference}`;
  return /[:@]/.test(path.slice(path.lastIndexOf("/"))) ? path : `${path}:latest`;
}

/**
 * A folder of one session, by name. Without the session in it, the builder takes equal folders of two builds for one
 * and the same work, and gives both the files of whichever came first.
 */
export function local(
  dir: string,
  session: string,
  options: { name?: string; exclude?: readonly string[] } = {},
): Vertex {
  const attrs = {
    "local.session": session,
    "local.sharedkeyhint": dir,
    ...(options.exclude?.length && { "local.excludepatterns": JSON.stringify(options.exclude) }),
  };
  return vertex(options.name ?? `load ${dir}`, [], { source: { identifier: `local://${dir}`, attrs } });
}

export type FileStep =
  | { readonly copy: CopyStep }
  | { readonly mkfile: { path: string; data: string; mode?: number } }
  | { readonly mkdir: { path: string } }
  | { readonly rm: { path: string } };

export type CopyStep = {
  readonly from: Tree;
  readonly src: string;
  readonly dest: string;
  /** Patterns are allowed in `src`, and finding nothing is no error. */
  readonly optional?: boolean;
  /** Only for builders that say they can. */
  readonly exclude?: readonly string[];
};

/** Applies the steps to the base one after the other; together they make one layer. */
export function files(base: Tree, steps: readonly FileStep[], name: string): Vertex {
  const inputs: Vertex[] = [];
  const indexOf = (tree: Tree): number => {
    if (!tree) return empty;
    const known = inputs.findIndex(({ digest }) => digest === tree.digest);
    return known >= 0 ? known : inputs.push(tree) - 1;
  };
  const baseIndex = indexOf(base);
  const secondary = steps.map((step) => ("copy" in step ? indexOf(step.copy.from) : empty));
  const actions = steps.map((step, at) => ({
    input: at === 0 ? baseIndex : inputs.length + at - 1,
    secondaryInput: secondary[at] ?? empty,
    output: at === steps.length - 1 ? 0 : -1,
    ...actionOf(step),
  }));
  return vertex(name, inputs, { file: { actions } });
}

function actionOf(step: FileStep): Record<string, unknown> {
  if ("mkdir" in step)
    return { mkdir: { path: step.mkdir.path, mode: 0o755, makeParents: true, timestamp: -1 } };
  if ("rm" in step) return { rm: { path: step.rm.path, allowNotFound: true, allowWildcard: true } };
  if ("mkfile" in step) {
    const { path, data, mode = 0o644 } = step.mkfile;
    return { mkfile: { path, mode, data: Buffer.from(data), timestamp: -1 } };
  }
  const { src, dest, optional = false, exclude = [] } = step.copy;
  return {
    copy: {
      src,
      dest,
      mode: -1,
      timestamp: -1,
      excludePatterns: exclude,
      followSymlink: true,
      dirCopyContents: true,
      createDestPath: true,
      allowWildcard: optional,
      allowEmptyWildcard: optional,
    },
  };
}

/** Trees laid over each other, later ones on top, without copying. Needs the capability `mergeop`. */
export function merge(trees: readonly Vertex[], name: string): Vertex {
  return vertex(name, trees, { merge: { inputs: trees.map((_, input) => ({ input })) } });
}

/** What `upper` has that `lower` has not. Needs the capability `diffop`. */
export function diff(lower: Tree, upper: Vertex, name: string): Vertex {
  const inputs = lower ? [lower, upper] : [upper];
  const lowerInput = { input: lower ? 0 : empty };
  return vertex(name, inputs, { diff: { lower: lowerInput, upper: { input: inputs.length - 1 } } });
}

export type ExecStep = {
  readonly base: Vertex;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly name: string;
  readonly caches?: readonly { id: string; dir: string; sharing: "shared" | "locked" }[];
  readonly secrets?: readonly { id: string; path: string }[];
  /** Secrets as variables of the same name. Needs the capability `exec.secretenv`: an old builder leaves them out without a word. */
  readonly secretEnv?: readonly string[];
  /** SSH agents by id; the first is in `SSH_AUTH_SOCK`. */
  readonly sshAgents?: readonly string[];
  /** Addresses by name, for its `/etc/hosts`. The cache goes by the names alone. */
  readonly hosts?: Hosts;
};

export type Hosts = Readonly<Record<string, string>>;

const mountType = { secret: 1, ssh: 2, cache: 3 } as const;
const sshSocket = (at: number): string => `/run/buildkit/ssh_agent.${at}`;

/** Runs a command in the base; the result is the base with what it changed. */
export function exec(step: ExecStep): Vertex {
  const { base, args, cwd, name, caches = [], secrets = [], secretEnv = [], sshAgents = [] } = step;
  const env = { ...step.env, ...(sshAgents.length > 0 && { SSH_AUTH_SOCK: sshSocket(0) }) };
  const without = { input: empty, output: -1 };
  const mounts = [
    { input: 0, dest: "/", output: 0 },
    ...caches.map(({ id, dir, sharing }) => ({
      ...without,
      dest: dir,
      type: mountType.cache,
      cache: { id, sharing: sharing === "locked" ? 2 : 0 },
    })),
    ...secrets.map(({ id, path }) => ({
      ...without,
      dest: path,
      type: mountType.secret,
      secret: { id, mode: 0o400 },
    })),
    ...sshAgents.map((id, at) => ({
      ...without,
      dest: sshSocket(at),
      type: mountType.ssh,
      ssh: { id, mode: 0o600 },
    })),
  ];
  const meta = {
    args,
    env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    cwd,
    extraHosts: Object.entries(step.hosts ?? {}).map(([host, ip]) => ({ host, ip })),
  };
  const secretenv = secretEnv.map((id) => ({ id, name: id }));
  return vertex(name, [base], { exec: { meta, mounts, ...(secretenv.length > 0 && { secretenv }) } });
}

/** What is sent: every vertex after the ones it needs, and the last one as the result. */
export function define(last: Vertex, options: { noCache?: boolean } = {}): Definition {
  const ordered = new Map<string, Vertex>();
  const visit = (one: Vertex): void => {
    if (ordered.has(one.digest)) return;
    one.inputs.forEach(visit);
    ordered.set(one.digest, one);
  };
  visit(last);
  const end = ops.encode({ inputs: [{ digest: last.digest, index: 0 }] });
  const named = [...ordered.values()].map(({ digest, name }) => [
    digest,
    { description: { "llb.customname": name }, ignoreCache: options.noCache ?? false },
  ]);
  return {
    def: [...[...ordered.values()].map(({ bytes }) => bytes), end],
    metadata: Object.fromEntries(named) as Definition["metadata"],
  };
}
