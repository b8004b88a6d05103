import { Override, overrideName } from "../../../core/overrides.ts";
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
  const list = async () => {
    const kept = (await secrets.list()).map((secret) => ({
      name: secret.name,
      override: overrideOf(secret),
    }));
    return {
      overrides: kept.flatMap(({ override }) => override ?? []),
      spoiled: kept.flatMap(({ name, override }) => (override ? [] : [name.slice(prefix.length)])),
    };
  };
  return {
    list,
    put: (override) =>
      secrets.put({
        name: nameOf(override.key),
        data: { override: Buffer.from(JSON.stringify(override), "utf8") },
      }),
    async remove({ key, at }) {
      if (!at) return secrets.remove(nameOf(key));
      for (const secret of await secrets.list()) {
        const override = overrideOf(secret);
        if (override?.key === key && override.at === at)
          await secrets.remove(secret.name, secret.resourceVersion);
      }
    },
    onChange: watch,
  };
}

const prefix = "shuttle-override-";
const nameOf = (key: string): string => prefix + overrideName(key);

function overrideOf({ data }: KeptSecret): Override | undefined {
  try {
    return Override.parse(JSON.parse(data["override"]?.toString("utf8") ?? ""));
  } catch {
    return undefined;
  }
}
