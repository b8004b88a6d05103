import { Fault } from "@starform/std/fault";
import { nameOf, repositoryAt } from "../../core/images/image-name.ts";
import type { ImageStore, StoredImage } from "../../ports/registry-provider.ts";
import { engineApi, messageOf, type EngineAnswer } from "./engine-api.ts";

const prefix = "starform.local";

type Listed = { readonly Id: string; readonly RepoTags: string[] | null };
type Inspected = {
  readonly Size: number;
  readonly Metadata?: { readonly LastTagTime?: string };
  readonly Created: string;
};

/** The images a Docker Engine keeps itself: what is built there and runs there. */
export function engineImageStore(socketPath: string): ImageStore {
  const call = engineApi(socketPath);
  const expect = (answer: EngineAnswer): unknown => {
    if (answer.status < 300) return answer.body;
    throw new Fault("unavailable", `the Docker Engine answered ${answer.status}: ${messageOf(answer)}`);
  };
  const listed = async (pattern: string): Promise<Listed[]> =>
    expect(
      await call(
        "GET",
        `/images/json?filters=${encodeURIComponent(JSON.stringify({ reference: [pattern] }))}`,
      ),
    ) as Listed[];
  /** Names of an image in one repository, without the repository. */
  const tagsIn = (name: string, { RepoTags: tags }: Listed): string[] =>
    (tags ?? []).filter((tag) => tag.startsWith(`${name}:`)).map((tag) => tag.slice(name.length + 1));

  return {
    title: "the Docker Engine's own store",
    prefix,
    async repositories() {
      const names = (await listed(`${prefix}/*/*`)).flatMap(({ RepoTags: tags }) => tags ?? []);
      const paths = names.map((name) => name.slice(prefix.length + 1, name.lastIndexOf(":")));
      return [...new Set(paths)].flatMap((path) => repositoryAt(path) ?? []);
    },
    async images(repository) {
      const name = nameOf(prefix, repository);
      const found = await Promise.all(
        (await listed(name)).map(async (one): Promise<StoredImage[]> => {
          const answer = await call("GET", `/images/${one.Id}/json`);
          if (answer.status === 404) return [];
          const { Size, Metadata, Created } = expect(answer) as Inspected;
          // The zero time of an image that was loaded and never named here.
          const named = Date.parse(Metadata?.LastTagTime ?? "");
          const storedAt = new Date(Math.max(0, Number.isNaN(named) ? Date.parse(Created) : named));
          return [{ digest: one.Id, tags: tagsIn(name, one), sizeBytes: Size, storedAt }];
        }),
      );
      return found.flat().toSorted((a, b) => b.storedAt.getTime() - a.storedAt.getTime());
    },
    async remove(repository, digest) {
      const own = (await listed(nameOf(prefix, repository))).find(({ Id }) => Id === digest);
      if (!own) return;
      await refuseWhileUsed(call, digest, own);
      for (const tag of tagsIn(nameOf(prefix, repository), own)) {
        const answer = await call(
          "DELETE",
          `/images/${encodeURIComponent(`${nameOf(prefix, repository)}:${tag}`)}`,
        );
        if (answer.status !== 404) expect(answer);
      }
    },
  };
}

/** The engine would take away all names but the last before it refuses. */
export async function refuseWhileUsed(
  call: ReturnType<typeof engineApi>,
  digest: string,
  { RepoTags: tags }: Pick<Listed, "RepoTags">,
): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ ancestor: [digest] }));
  const { body } = await call("GET", `/containers/json?all=true&filters=${filters}`);
  const users = (Array.isArray(body) ? body : []) as { Id: string; ImageID: string }[];
  const own = users.filter(({ ImageID }) => ImageID === digest);
  if (own.length > 0)
    throw new Fault(
      "conflict",
      `${own.length} containers are made of ${(tags ?? [digest])[0]}, the first ${own[0]!.Id.slice(0, 12)}`,
    );
}
