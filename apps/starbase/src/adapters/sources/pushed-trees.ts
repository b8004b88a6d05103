import type { PushedTrees } from "../../core/builds/ports.ts";
import { GitFailed } from "./git-program.ts";
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
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const take = async (out: AsyncIterable<Uint8Array>) => {
      for await (const chunk of out) {
        bytes += chunk.length;
        if (bytes > bytesMax) throw new TooMuch();
        chunks.push(chunk);
      }
    };
    const options = { cwd: await repositoryDir(serviceId), env: { GIT_LITERAL_PATHSPECS: "1" } };
    try {
      await git.stream(args, take, options);
    } catch (error) {
      if (error instanceof GitFailed) return undefined;
      if (!(error instanceof TooMuch)) throw error;
    }
    return { text: Buffer.concat(chunks).toString(), isWhole: bytes <= bytesMax };
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

class TooMuch extends Error {}
