/** A thing of a folder that is sent; `path` is relative, with slashes. */
export type FolderEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly sizeBytes: number;
      readonly isExecutable: boolean;
    }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly to: string };

/** What the files hold together, before they are packed. */
export const bytesIn = (entries: readonly FolderEntry[]): number =>
  entries.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.sizeBytes : 0), 0);
