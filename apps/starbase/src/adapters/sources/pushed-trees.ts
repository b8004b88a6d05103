import type { PushedTrees } from "../../core/builds/ports.ts";
import { absent } from "./git-program.ts";
import type { Repositories } from "./source-store.ts";

const listBytesMax = 4 * 2 ** 20;
const fileBytesMax = 2 ** 20;

/** Reads the built-in repositories. Only Git's plumbing, which runs nothing that a repository names. */
export function pushedTrees({
  git,
  repositoryDir,
}: Pick<Repositories, "git" | "repositoryDir">): PushedTrees {
  /** What git prints, or its beginning; undefined if git has nothing to print it of. */
  const bounded = async (serviceId: string, args: readonly string[], bytesMax: number) => {
    const cwd = await repositoryDir(serviceId);
    return git.beginning(args, { cwd, env: { GIT_LITERAL_PATHSPECS: "1" }, bytesMax }).catch(absent);
  };

  return {
    async changedPaths(serviceId, from, to) {
      const flags = ["-r", "-z", "--name-only", "--no-renames"];
      const args = ["diff-tree", ...flags, "--end-of-options", `${from}^{tree}`, `${to}^{tree}`];
      const out = await bounded(serviceId, args, listBytesMax);
      return out?.isWhole ? out.text.split("\0").filter(Boolean) : undefined;
    },
    async readFile(serviceId, sha, path) {
      return (await bounded(serviceId, ["cat-file", "blob", `${sha}:${path}`], fileBytesMax))?.text;
    },
  };
}
