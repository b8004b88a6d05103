import { join } from "node:path";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

export type Credential = {
  readonly token: string;
  readonly email: string;
  readonly savedAt: string;
  /** Where login made the token itself: what logout revokes. */
  readonly tokenId?: string;
};
type CredentialsFile = { current?: string; platforms: Record<string, Credential> };

/** Who is signed in where: `credentials.json` in the configuration folder, readable by its owner only. */
export type Credentials = {
  /** The platform that was signed in to last. */
  current(): string | undefined;
  of(url: string): Credential | undefined;
  save(url: string, credential: Credential): void;
  /** False if there was none. */
  forget(url: string): boolean;
};

export function fileCredentials(configDir: string): Credentials {
  const path = join(configDir, "credentials.json");
  const read = (): CredentialsFile => readPrivateFile<CredentialsFile>(path) ?? { platforms: {} };
  return {
    current: () => read().current,
    of: (url) => read().platforms[url],
    save(url, credential) {
      const { platforms } = read();
      writePrivateFile(path, { current: url, platforms: { ...platforms, [url]: credential } });
    },
    forget(url) {
      const { current, platforms } = read();
      if (!platforms[url]) return false;
      const { [url]: _, ...rest } = platforms;
      const next = current === url ? Object.keys(rest)[0] : current;
      writePrivateFile(path, { ...(next ? { current: next } : {}), platforms: rest });
      return true;
    },
  };
}
