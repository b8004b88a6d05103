import { dirname, join } from "node:path";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

/** What a folder deploys to. Kept in the person's configuration, so nothing of it can end up in Git. */
export type Link = {
  readonly url: string;
  readonly project: string;
  readonly service: string | null;
  readonly environment: string;
};
type LinksFile = { folders: Record<string, Link> };

export type Links = {
  /** The link of the folder or of the nearest one around it. */
  around(folder: string): { readonly folder: string; readonly link: Link } | undefined;
  save(folder: string, link: Link): void;
  /** False if the folder had none. */
  forget(folder: string): boolean;
};

export function fileLinks(configDir: string): Links {
  const path = join(configDir, "links.json");
  const read = (): LinksFile => readPrivateFile<LinksFile>(path) ?? { folders: {} };
  return {
    around(folder) {
      const { folders } = read();
      for (let at = folder; ; at = dirname(at)) {
        const link = folders[at];
        if (link) return { folder: at, link };
        if (dirname(at) === at) return undefined;
      }
    },
    save(folder, link) {
      writePrivateFile(path, { folders: { ...read().folders, [folder]: link } });
    },
    forget(folder) {
      const { [folder]: link, ...rest } = read().folders;
      if (link) writePrivateFile(path, { folders: rest });
      return Boolean(link);
    },
  };
}
