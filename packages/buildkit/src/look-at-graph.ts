import { posix } from "node:path";
import { BuildFailed } from "./build-failed.ts";
import type { BuildOptions } from "./built-image.ts";
import { digestOf, type Definition } from "./llb.ts";
import { codec } from "./protocol.ts";

type Op = { source?: { identifier?: string }; exec?: { mounts: { dest?: string }[] } };
const ops = codec<Op>("Op");

/**
 * Looks at what will run before anything of it does, whoever made it: a base's ONBUILD adds to a Dockerfile what is not
 * in it. Throws what `onImages` does, and BuildFailed where a step would not see the build's hosts.
 */
export function lookAtGraph(
  { onImages, hosts = {} }: Pick<BuildOptions, "onImages" | "hosts">,
  definition: Definition,
): void {
  onImages?.(imagesOf(definition));
  const [step] = Object.keys(hosts).length > 0 ? stepsMounting("/etc/hosts", definition) : [];
  if (step !== undefined)
    throw new BuildFailed(
      `the step "${step}" mounts something at /etc/hosts, which the builder writes: mount it at another path`,
    );
}

const imagesOf = ({ def }: Definition): string[] =>
  def.flatMap((bytes) => {
    const [, image] = /^docker-image[^:]*:\/\/(.*)$/s.exec(ops.decode(bytes).source?.identifier ?? "") ?? [];
    return image === undefined ? [] : [image];
  });

const stepsMounting = (place: string, { def, metadata }: Definition): string[] =>
  def
    .filter((bytes) =>
      ops.decode(bytes).exec?.mounts.some(({ dest = "" }) => posix.resolve("/", dest) === place),
    )
    .map((bytes) => metadata[digestOf(bytes)]?.description["llb.customname"] ?? "a step");
