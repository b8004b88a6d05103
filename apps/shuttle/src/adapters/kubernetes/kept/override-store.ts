import { createHash } from "node:crypto";
import { Override } from "../../../core/overrides.ts";
import type { OverrideStore } from "../../../core/ports.ts";
import type { KeptSecret, KeptSecrets } from "./kept-secrets.ts";

/**
 * Overrides in Secrets `shuttle-override-<hash of the key>`, for a service's environment is in them. `watch` tells of
 * changes by others.
 */
export function kubernetesOverrideStore(
  secrets: KeptSecrets,
  watch: (changed: () => void) => AsyncDisposable,
): OverrideStore {
  const list = async () => (await secrets.list()).flatMap((secret) => overrideOf(secret) ?? []);
  return {
    list,
    put: (override) =>
      secrets.put({
        name: nameOf(override.key),
        data: { override: Buffer.from(JSON.stringify(override), "utf8") },
      }),
    async remove({ key, at }) {
      if ((await list()).some((override) => override.key === key && override.at === at))
        await secrets.remove(nameOf(key));
    },
    onChange: watch,
  };
}

const nameOf = (key: string): string =>
  `shuttle-override-${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;

function overrideOf({ data }: KeptSecret): Override | undefined {
  try {
    return Override.parse(JSON.parse(data["override"]?.toString("utf8") ?? ""));
  } catch {
    return undefined;
  }
}
