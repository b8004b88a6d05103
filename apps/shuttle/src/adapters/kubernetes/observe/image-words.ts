import {
  reasonOfAbsentCommand,
  reasonOfAbsentImage,
  reasonOfMissingCommand,
  reasonOfNamedUser,
  reasonOfNoShell,
  reasonOfPull,
  reasonOfRefusedImage,
  reasonOfRootImage,
} from "../../../core/reasons.ts";
import { shorten } from "../../../core/shorten.ts";

/** Why a container did not begin; final if trying again will not help. */
export type Trouble = { readonly sentence: string; readonly isFinal: boolean };

const pulls: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ImageInspectError",
  "ErrImageNeverPull",
  "RegistryUnavailable",
  "SignatureValidationFailed",
]);
const starts: ReadonlySet<string> = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "StartError",
  "PostStartHookError",
]);

/** What the kubelet says of a container that waits; undefined while it is only on its way. */
export function waitingWords(
  { reason, message }: { readonly reason: string; readonly message: string },
  { image, command }: { readonly image: string; readonly command: string | null },
): Trouble | undefined {
  if (pulls.has(reason)) return pullWords(reason, message, image);
  if (!starts.has(reason)) return undefined;
  if (/no command specified/i.test(message)) return { sentence: reasonOfMissingCommand(), isFinal: true };
  if (command !== null && /exec: "\/bin\/sh": (stat|executable file not found|no such)/.test(message))
    return { sentence: reasonOfNoShell(image), isFinal: true };
  if (/executable file not found|no such file or directory/i.test(message))
    return {
      sentence: reasonOfAbsentCommand(command ?? `that of the image ${image}`),
      isFinal: true,
    };
  if (/image will run as root/i.test(message)) return { sentence: reasonOfRootImage(), isFinal: true };
  if (/image has non-numeric user/i.test(message)) return { sentence: reasonOfNamedUser(), isFinal: true };
  // The node's own view of them lags; it is asked again at once.
  if (/(secret|configmap) (.*not found|cache: timed out)/i.test(message))
    return { sentence: "its variables are not in the cluster yet", isFinal: false };
  return {
    sentence: `it cannot be started: ${shorten(message)}`,
    isFinal: false,
  };
}

/** What the kubelet and the runtime put before the words of the registry, from the outside in. */
const layers: readonly (readonly [RegExp, string])[] = [
  [/^Back-off pulling image "[^"]*"(: )?/, ""],
  [/^ErrImagePull: /, ""],
  [/^rpc error: code = \w+ desc = /, ""],
  [/^failed to pull and unpack image "[^"]*": /, ""],
  [/^failed to resolve (reference|image)( "[^"]*")?: /, ""],
  [/^failed to do request: \w+ "[^"]*": /, ""],
  [/^unexpected status from \w+ request to \S+: /, "the registry answered "],
];

/** Of a repository that it hides, a registry says that it does not exist or may require authorization. */
const denials =
  /access denied|require authorization|unauthorized|authentication required|denied|forbidden|\b40[13]\b/i;

function pullWords(reason: string, message: string, image: string): Trouble {
  // Of names and digests, any part may look like a word of the registry.
  const words = message.replaceAll(image, "").replaceAll(/sha256:[0-9a-f]{64}/g, "");
  if (denials.test(words)) return { sentence: reasonOfRefusedImage(image), isFinal: true };
  if (reason === "InvalidImageName" || /not found|manifest unknown|does not exist/i.test(words))
    return { sentence: reasonOfAbsentImage(image), isFinal: true };
  const said = layers.reduce((text, [layer, words]) => text.replace(layer, words), message);
  return { sentence: reasonOfPull(image, said || "the registry did not answer"), isFinal: false };
}
