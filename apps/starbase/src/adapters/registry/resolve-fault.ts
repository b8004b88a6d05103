import { Fault } from "@starform/std/fault";
import { readReference } from "../../core/images/image-reference.ts";

/** What a registry, or an engine for it, says when an image is not there or not shown. */
export function resolveFault(image: string, status: number, words: string): Fault {
  const { host, tag } = readReference(image);
  const said = words.replace(/\s+/g, " ").trim().slice(0, 200);
  const isRefused =
    status === 401 || status === 403 || /denied|unauthorized|authentication required/i.test(words);
  if (isRefused)
    return new Fault(
      "invalid",
      `${host} does not show the image ${image} to this project: check its name; if it is private, sign in with \`starform registries add ${host} --username <name> --password-stdin\``,
    );
  if (status === 404 || /not found|manifest unknown|name unknown/i.test(words))
    return new Fault(
      "invalid",
      `${host} has no image ${image}${tag ? "" : " with the tag latest"}: check its name and tag`,
    );
  return new Fault(
    "unavailable",
    `${host} cannot say what the image ${image} stands for (${said || `status ${status}`}): try again, or deploy it by its digest (name@sha256:…)`,
  );
}
