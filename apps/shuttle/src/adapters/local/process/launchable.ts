import { reasonOfMissingCommand, reasonOfMissingImage } from "../../../core/reasons.ts";
import type { InstanceSpec, Refusal } from "../engine.ts";
import type { Confinement } from "./confinement.ts";
import type { ImageStore, ProcessImage } from "./image-store.ts";

/** Linux takes no single variable of this size. */
const variableBytesMax = 128 * 1024;

/** The image and the command of an instance, or why it can never be started as it was asked for. */
export async function launchable(
  spec: InstanceSpec,
  images: ImageStore,
  confinement: Confinement,
): Promise<{ readonly image: ProcessImage; readonly command: string } | { readonly refusal: Refusal }> {
  const refused = (kind: Refusal["kind"], reason: string) => ({ refusal: { kind, reason } });
  const image = await images.find(spec.image);
  if (!image) return refused("image_missing", reasonOfMissingImage(spec.image));
  const command = spec.command ?? image.cmd;
  if (!command?.trim()) return refused("command_missing", reasonOfMissingCommand());
  const large = Object.entries(spec.env).find(
    ([name, value]) => name.length + Buffer.byteLength(value) + 2 > variableBytesMax,
  );
  if (large)
    return refused(
      "invalid",
      `the variable ${large[0]} has ${Math.round(Buffer.byteLength(large[1]) / 1024)} KiB and Linux takes at most 128 KiB: put it into a file`,
    );
  if (Object.values(spec.env).some((value) => value.includes("\0")))
    return refused("invalid", "a variable holds a NUL character, which no program can be given");
  if (spec.volumes.length > 0 && !confinement.bwrap)
    return refused(
      "invalid",
      "this machine runs apps without a sandbox, so no volume can be mounted: install bubblewrap",
    );
  return { image, command };
}
