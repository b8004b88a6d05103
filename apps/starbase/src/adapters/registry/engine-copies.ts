import { Fault } from "@starform/std/fault";
import { nameOf } from "../../core/images/image-name.ts";
import type { ImageRepository, RegistryProvider } from "../../ports/registry-provider.ts";
import { engineApi, messageOf, type EngineAnswer } from "./engine-api.ts";
import { refuseWhileUsed } from "./engine-image-store.ts";

type Listed = {
  readonly Id: string;
  readonly RepoTags: string[] | null;
  readonly RepoDigests: string[] | null;
};

/**
 * The registry, where a Docker Engine of this machine keeps copies of its images: of what it built and pushed, and of
 * what it pulled to run. They go with the image, which stays while something runs on its copy.
 */
export function withEngineCopies(registry: RegistryProvider, socketPath: string): RegistryProvider {
  const call = engineApi(socketPath);
  const forget = async (repository: ImageRepository, digest: string): Promise<void> => {
    const name = nameOf(registry.prefix, repository);
    const filters = encodeURIComponent(JSON.stringify({ reference: [name] }));
    const listed = expect(await call("GET", `/images/json?filters=${filters}`)) as Listed[];
    const byDigest = `${name}@${digest}`;
    const copy = listed.find(({ RepoDigests: digests }) => digests?.includes(byDigest));
    if (!copy) return;
    await refuseWhileUsed(call, copy.Id, copy);
    const tags = (copy.RepoTags ?? []).filter((tag) => tag.startsWith(`${name}:`));
    // With the last tag the digest often goes by itself.
    for (const one of [...tags, byDigest]) {
      const answer = await call("DELETE", `/images/${encodeURIComponent(one)}`);
      if (answer.status !== 404) expect(answer);
    }
  };
  return {
    ...registry,
    async remove(repository, digest) {
      await forget(repository, digest);
      await registry.remove(repository, digest);
    },
  };
}

function expect(answer: EngineAnswer): unknown {
  if (answer.status < 300) return answer.body;
  throw new Fault("unavailable", `the Docker Engine answered ${answer.status}: ${messageOf(answer)}`);
}
