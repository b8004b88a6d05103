import type { BuildOptions } from "./built-image.ts";
import type { Definition } from "./llb.ts";
import { codec } from "./protocol.ts";

type Op = { source?: { identifier?: string } };
const ops = codec<Op>("Op");

/**
 * Looks at what will run before anything of it does, whoever made it: a base's ONBUILD adds to a Dockerfile what is not
 * in it. Throws what `onImages` does.
 */
export const lookAtGraph = ({ onImages }: Pick<BuildOptions, "onImages">, definition: Definition): void =>
  onImages?.(imagesOf(definition));

const imagesOf = ({ def }: Definition): string[] =>
  def.flatMap((bytes) => {
    const [, image] = /^docker-image[^:]*:\/\/(.*)$/s.exec(ops.decode(bytes).source?.identifier ?? "") ?? [];
    return image === undefined ? [] : [image];
  });
