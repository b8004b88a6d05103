import { Fault } from "@starform/std/fault";
import { isOutOfMemory } from "./bounded-git.ts";
import { absent, GitFailed, isRedirection, type Git, type GitOptions } from "./git-program.ts";
import { withoutCredentials } from "./git-url.ts";

export type GitSource = { readonly url: string; readonly ref: string };

/** Of the branches that are named to who named none of them. */
const headsBytesMax = 16 * 2 ** 10;

/** The name of the branch that an address gives to who names none; null where its server does not say. */
export async function defaultBranch(git: Git, url: string, options: GitOptions): Promise<string | null> {
  const out = await git.run(["ls-remote", "--symref", "--", url, "HEAD"], options).catch(absent);
  return /^ref: refs\/heads\/(\S{1,255})\tHEAD$/m.exec(out ?? "")?.[1] ?? null;
}

/** Fetches one commit, without history, and answers its id; in `timeoutMs`, of which `late` tells the end. */
export async function fetchFrom(
  git: Git,
  cwd: string,
  { url, ref }: GitSource,
  limits: {
    signal: AbortSignal;
    timeoutMs: number;
    late: AbortSignal;
    env: Readonly<Record<string, string>>;
  },
): Promise<string> {
  if (ref.startsWith("-") || /[\s~^:?*[\\]/.test(ref))
    throw new Fault("invalid", `"${ref}" is not the name of a branch, a tag or a commit`);
  const options = { cwd, ...limits };
  const fetch = [
    // Always as one pack, which is written as it comes: a few objects would be unpacked in memory.
    "-c",
    "fetch.unpackLimit=1",
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--force",
  ];
  const keep = `refs/starform/fetched`;
  try {
    await git.run([...fetch, "--depth=1", url, `${ref === "" ? "HEAD" : ref}:${keep}`], options);
    return (await git.run(["rev-parse", "--verify", `${keep}^{commit}`], options)).trim();
  } catch (error) {
    // Who asks again is told as much again.
    if (!(error instanceof GitFailed) || isOutOfMemory(error.stderr)) throw error;
    if (isRedirection(error))
      throw new Fault(
        "invalid",
        `${withoutCredentials(url)} redirects to another address, and redirections are not followed: use the address it leads to (often the same with .git at its end), as your browser shows it`,
      );
    // Some servers give a commit only as part of a branch.
    if (/^[0-9a-f]{7,40}$/.test(ref)) {
      const found = await fetchAll(git, options, fetch, url, ref);
      if (found) return found;
    }
    const why = await said(git, options, url, ref, error);
    throw limits.late.aborted
      ? new Fault(
          "invalid",
          `fetching ${withoutCredentials(url)} took longer than ${limits.timeoutMs / 1_000} s: try again, or push the code instead`,
        )
      : why;
  }
}

async function fetchAll(
  git: Git,
  options: GitOptions,
  fetch: readonly string[],
  url: string,
  sha: string,
): Promise<string | undefined> {
  await git.run([...fetch, url, "+refs/heads/*:refs/starform/heads/*"], options).catch(absent);
  return (
    await git.run(["rev-parse", "--verify", "--quiet", `${sha}^{commit}`], options).catch(absent)
  )?.trim();
}

/** Why a fetch failed, in a sentence: no such branch is told apart from no such repository. */
async function said(
  git: Git,
  options: GitOptions,
  url: string,
  ref: string,
  error: GitFailed,
): Promise<Fault> {
  const shown = withoutCredentials(url);
  const list = ["ls-remote", "--heads", "--", url];
  const heads = await git.beginning(list, { ...options, bytesMax: headsBytesMax }).catch(absent);
  if (heads === undefined) {
    const last = withoutCredentials(error.stderr.trim().split("\n").at(-1) ?? "").replace(/^fatal: /, "");
    return new Fault(
      "invalid",
      `the repository ${shown} cannot be read (${last}): check the address; for a private one sign in with \`starform git login ${URL.parse(url)?.host ?? "<host>"}\`, or push the code with git push starform main`,
    );
  }
  const names = heads.text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.slice(52));
  if (names.length === 0)
    return new Fault(
      "invalid",
      `the repository ${shown} has no branches yet: push code to it, then deploy again`,
    );
  const first = names.slice(0, 10).join(", ");
  return new Fault(
    "invalid",
    `there is no branch, tag or commit "${ref}" in ${shown}; its branches are ${first}${names.length > 10 ? ", …" : ""}`,
  );
}
