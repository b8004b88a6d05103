import type { BuildSpec } from "../../ports/build-service.ts";
import type { RegistryProvider } from "../../ports/registry-provider.ts";
import type { ImageTarget } from "./build-image.ts";
import type { LedgerImage } from "./build-ledger.ts";
import type { Watch } from "./watched-build.ts";

/** Where images are pushed. */
export type PushRegistry = Pick<
  RegistryProvider,
  "host" | "prefix" | "ensureRepository" | "credentials" | "images"
>;

/** A push may still run when the build's time is up. */
const graceSeconds = 15 * 60;

/** The service's place in the registry, with a sign-in of its project that ends soon after the build must. */
export async function pushTarget(
  registry: PushRegistry,
  spec: BuildSpec,
  { wallClockMs, hide }: { readonly wallClockMs: number; readonly hide: Watch["hide"] },
): Promise<ImageTarget> {
  const repository = await registry.ensureRepository(spec);
  const seconds = Math.ceil(wallClockMs / 1_000) + graceSeconds;
  const { host, username, password } = await registry.credentials(spec.projectId, "push", seconds);
  // A vendor's may open all of the registry, and what a build pulls is its customer's to say.
  const repositoriesUnder = `${registry.prefix.slice(host.length + 1)}/${spec.projectId}/`.replace(/^\//, "");
  hide("the registry's password", password);
  return {
    repository,
    projectPrefixes: [registry.prefix],
    push: true,
    insecureRegistry: isLoopback(host),
    registryAuth: { [host]: { username, password, repositoriesUnder } },
  };
}

/** A registry beside us speaks plain HTTP, as ours does. */
const isLoopback = (host: string): boolean => /^(127\.|localhost(:|$))/.test(host);

/** An image that was pushed, by its digest; its size is the registry's. */
export async function pushedImage(
  registry: PushRegistry,
  spec: BuildSpec,
  { repository, digest }: { readonly repository: string; readonly digest: string },
): Promise<LedgerImage> {
  const stored = (await registry.images(spec)).find((one) => one.digest === digest);
  return { image: `${repository}@${digest}`, imageDigest: digest, sizeBytes: stored?.sizeBytes ?? 0 };
}
