import type { BuildFailed } from "./build-failed.ts";

/**
 * Answers with an image that may serve in place of one no registry hands out here; undefined for those that have
 * no stand-in. References come as they are written in the Dockerfile.
 */
export type StandIn = (reference: string) => string | undefined;

/** What a builder says when a registry cannot be asked, as against one that says no. */
const unreachable =
  /dial tcp|no such host|i\/o timeout|connection refused|network is unreachable|TLS handshake timeout|server misbehaving/;

/** True when the build ended because an image's registry could not be reached. */
export const isUnreachable = ({ step = "", cause }: BuildFailed): boolean =>
  /load metadata for|pull|docker-image/.test(step) &&
  unreachable.test(cause instanceof Error ? cause.message : "");

export type Replaced = { readonly text: string; readonly replaced: readonly { from: string; to: string }[] };

/** The Dockerfile with stand-ins where there are some: in FROM, in the arguments that are a FROM's image, and in COPY --from. */
export function replaceImages(text: string, standIn: StandIn): Replaced {
  const stages = new Set<string>();
  // Line by line, and to the line's end whatever stands there: what is tried again from every place of a long text takes hours.
  const written = text.split("\n");
  const bases = new Set(
    written.map((line) => /^\s*FROM\s+(?:--\S+\s+)*\$\{?(\w+)\}?(?:\s|$)/i.exec(line)?.[1]),
  );
  const replaced: { from: string; to: string }[] = [];
  const swap = (reference: string): string => {
    const to =
      stages.has(reference.toLowerCase()) || /^\d+$|^scratch$|\$/.test(reference)
        ? undefined
        : standIn(reference);
    if (to !== undefined && !replaced.some(({ from }) => from === reference))
      replaced.push({ from: reference, to });
    return to ?? reference;
  };
  const lines = written.map((line) => {
    const argument = /^(\s*ARG\s+(\w+)=)(\S+)(\s*)$/i.exec(line);
    if (argument && bases.has(argument[2])) return argument[1] + swap(argument[3] ?? "") + argument[4];
    const from = /^(\s*FROM\s+(?:--\S+\s+)*)(\S+)(.*)$/is.exec(line);
    if (!from)
      return line.replace(/(--from=)(\S+)/i, (_, flag: string, reference: string) => flag + swap(reference));
    const [, head = "", reference = "", rest = ""] = from;
    const swapped = head + swap(reference) + rest;
    const stage = /\bAS\s+(\S+)/i.exec(rest)?.[1];
    if (stage !== undefined) stages.add(stage.toLowerCase());
    return swapped;
  });
  return { text: lines.join("\n"), replaced };
}

export type Bases = { readonly builder: string; readonly runtime: string };

/** The base for an image of Railpack's. Their names carry a release; what they are for is what counts. */
export const railpackBase = (reference: string, { builder, runtime }: Bases): string | undefined =>
  /\brailpack-builder\b/.test(reference)
    ? builder
    : /\brailpack-runtime\b/.test(reference)
      ? runtime
      : undefined;

/** Our own bases for Railpack's, and for the official images of Node, Python and Debian, whose programs they have. */
export const standInBases =
  (bases: Bases): StandIn =>
  (reference) =>
    /^(?:docker\.io\/)?(?:library\/)?(?:node|python|debian|buildpack-deps)(?::[\w.-]+)?$/.test(reference) &&
    !reference.includes("alpine")
      ? bases.builder
      : railpackBase(reference, bases);
