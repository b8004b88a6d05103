import type { Host } from "../host.ts";

export type Commit = {
  readonly sha: string;
  readonly ref: string;
  readonly message: string;
  readonly author: string;
};

/** The commit a folder stands at, shown beside what was deployed from it; undefined outside of Git. */
export async function commitOf(host: Host, folder: string): Promise<Commit | undefined> {
  const git = (...args: string[]) => host.run("git", args, { cwd: folder });
  const [log, branch, status] = await Promise.all([
    git("log", "-1", "--format=%H%x00%an%x00%s"),
    git("rev-parse", "--abbrev-ref", "HEAD"),
    git("status", "--porcelain", "--", "."),
  ]);
  const [sha = "", author = "", subject = ""] = log.stdout.trimEnd().split("\0");
  if (log.code !== 0 || !/^[0-9a-f]{40,64}$/.test(sha)) return undefined;
  const message = status.stdout.trim() ? `${subject} (and changes that are not committed)` : subject;
  return {
    sha,
    ref: branch.stdout.trim().slice(0, 255),
    message: message.slice(0, 1_024),
    author: author.slice(0, 255),
  };
}
