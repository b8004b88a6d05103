import { randomUUID } from "node:crypto";
import { mkdir, readdir, realpath, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { sourceLimits, type SourceLimits } from "@starform/contract/source-limits";
import { Fault } from "@starform/std/fault";
import type { FetchedCopies } from "../../core/builds/collect-copies.ts";
import type { Commit, SourceStore } from "../../core/builds/ports.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import { isOutOfMemory, takesTooMuchMemory } from "./bounded-git.ts";
import { defaultBranch, fetchFrom, type GitSource } from "./fetch-from.ts";
import { absent, GitFailed, openGit, type Git } from "./git-program.ts";
import { signInFor, type GitSignIn } from "./git-sign-in.ts";
import { checkGitUrl, withoutCredentials } from "./git-url.ts";
import { unpack } from "./unpack.ts";
import { uploads } from "./uploads.ts";

export type SourceStoreOptions = {
  /** Bare repositories, `<service>.git` each. */
  readonly gitDir: string;
  /** Uploaded archives. */
  readonly sourcesDir: string;
  /** Whether services may name `file:` addresses: only where all users are the machine's owner. */
  readonly isFileAllowed: boolean;
  readonly networkVariables?: Readonly<Record<string, string>>;
  readonly limits?: SourceLimits;
  readonly fetchTimeoutMs?: number;
  /** Of each git; see `boundedGit`. */
  readonly gitMemoryBytesMax?: number;
  /** What the project signs in to a host with, when code is fetched from there. Secret. */
  readonly signInTo?: (owner: CodeOwner, host: string) => Promise<GitSignIn | undefined>;
};

/** Whose code it is: a service of a project, or the project's before it has a service. */
export type CodeOwner = { readonly serviceId: string } | { readonly projectId: string };

/** Of a million branches or so. */
const headsBytesMax = 64 * 2 ** 20;
/** Of what a commit says of itself: more than is kept of it. */
const describedBytesMax = 16 * 2 ** 10;

export type Repositories = {
  /** The bare repository that pushes of this service go to, made if need be. */
  repositoryDir(serviceId: string): Promise<string>;
  /** Services that have a built-in repository. */
  serviceIds(): Promise<readonly string[]>;
  /** The heads of the repository: branch to commit; of more than a million the first. */
  heads(serviceId: string): Promise<ReadonlyMap<string, string>>;
  /** Facts about a commit; undefined if the repository does not have it. `ref` is the branch it is told with. */
  commitOf(serviceId: string, sha: string, ref: string): Promise<Commit | undefined>;
  /** The commit a branch, tag or abbreviated id names, if any. */
  resolve(serviceId: string, name: string): Promise<string | undefined>;
  readonly git: Git;
};

/** Code in folders of this machine: uploads, the built-in repositories, and a copy of what was fetched from elsewhere. */
export function folderSourceStore(options: SourceStoreOptions): SourceStore & Repositories & FetchedCopies {
  const git = openGit(
    path.join(options.gitDir, "settings"),
    options.networkVariables,
    options.gitMemoryBytesMax,
  );
  const uploaded = uploads(options.sourcesDir, options.limits);
  const builtIn = (serviceId: string) => path.join(options.gitDir, `${safe(serviceId)}.git`);
  const fetched = (serviceId: string) => path.join(options.gitDir, "fetched", `${safe(serviceId)}.git`);

  const copiesDir = path.join(options.gitDir, "fetched");
  const fetchedInto = (id: string): Promise<Date | undefined> =>
    stat(fetched(id)).then(
      ({ mtime }) => mtime,
      () => undefined,
    );
  const bare = async (dir: string): Promise<string> => {
    if (await stat(path.join(dir, "HEAD")).catch(() => undefined)) return dir;
    // Made aside and named whole: the API and the Worker may both be the first to need it.
    const draft = `${dir}-${randomUUID()}`;
    await mkdir(draft, { recursive: true });
    await git.run(["init", "--quiet", "--bare", "--initial-branch=main", draft]);
    await mkdir(path.join(draft, "info"), { recursive: true });
    // A build gets what a clone would: `git archive` alone would leave out and rewrite what .gitattributes says.
    await writeFile(path.join(draft, "info", "attributes"), "* -export-ignore -export-subst\n");
    await rename(draft, dir).catch(async (error: NodeJS.ErrnoException) => {
      await rm(draft, { recursive: true, force: true });
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    return dir;
  };
  /** Exit code and content of `git archive` are both looked at: a missing object must not become half a source. */
  const archive = (dir: string, sha: string, into: string, signal: AbortSignal) =>
    git.stream(["archive", "--format=tar", sha], (out) => unpack(out, into, options.limits), {
      cwd: dir,
      signal,
      timeoutMs: 600_000,
    });

  /** Fetches what stands at an address into the copy, and lays it out. */
  const fetchInto = async (
    repository: string,
    owner: CodeOwner,
    source: GitSource,
    dir: string,
    signal: AbortSignal,
  ) => {
    checkGitUrl(source.url, options);
    const env = await signInFor(source.url, (host) => options.signInTo?.(owner, host));
    await refuseOurOwn(source.url, options.gitDir);
    const timeoutMs = options.fetchTimeoutMs ?? 300_000;
    const bytesMax = (options.limits ?? sourceLimits).bytesMax;
    const bounds = { bytesMax, shown: withoutCredentials(source.url), signal };
    // Two environments of one service share the copy: at once, one would be handed what the other fetched.
    const fetch = async () => {
      // However often its server is asked: whoever lets each wait holds up the Worker no longer than one that answers none.
      const how = { signal, timeoutMs, late: AbortSignal.timeout(timeoutMs), env };
      await bare(repository);
      const now = new Date();
      await utimes(repository, now, now);
      const sha = await boundedFetch(repository, bounds, (either) =>
        fetchFrom(git, repository, source, { ...how, signal: either }),
      );
      return { sha, how };
    };
    try {
      const { sha, how } = await inTurn(repository, fetch);
      await archive(repository, sha, dir, signal);
      return { commit: await describe(git, repository, sha, source.ref), how };
    } catch (error) {
      if (!(error instanceof GitFailed) || !isOutOfMemory(error.stderr)) throw error;
      throw new Fault("invalid", takesTooMuchMemory(bounds.shown, options.gitMemoryBytesMax));
    }
  };

  return {
    git,
    saveUpload: (serviceId, body) => uploaded.save(safe(serviceId), body),
    hasUpload: (serviceId, sourceId) => uploaded.has(safe(serviceId), sourceId),
    async removeService(serviceId) {
      for (const dir of [
        builtIn(serviceId),
        fetched(serviceId),
        path.join(options.sourcesDir, safe(serviceId)),
      ])
        await rm(dir, { recursive: true, force: true });
    },
    async fetchedCopies() {
      const names = (await readdir(copiesDir).catch(() => [])).filter((name) => name.endsWith(".git"));
      const ids = names.map((name) => name.slice(0, -".git".length));
      const copies = await Promise.all(ids.map(async (id) => ({ id, usedAt: await fetchedInto(id) })));
      return copies.flatMap(({ id, usedAt }) => (usedAt ? [{ id, usedAt }] : []));
    },
    removeCopy: (id, unusedSince) =>
      inTurn(fetched(id), async () => {
        const usedAt = await fetchedInto(id);
        if (usedAt && usedAt >= unusedSince) return false;
        await rm(fetched(id), { recursive: true, force: true });
        return true;
      }),
    repositoryDir: (serviceId) => bare(builtIn(serviceId)),

    async serviceIds() {
      const names = await readdir(options.gitDir).catch(() => []);
      return names.flatMap((name) => (name.endsWith(".git") ? [name.slice(0, -".git".length)] : []));
    },

    async heads(serviceId) {
      const args = ["for-each-ref", "--format=%(objectname) %(refname:short)", "refs/heads/"];
      const cwd = await bare(builtIn(serviceId));
      const { text } = await git.beginning(args, { cwd, bytesMax: headsBytesMax });
      return new Map(
        text
          .split("\n")
          .slice(0, -1)
          .map((line) => [line.slice(41), line.slice(0, 40)]),
      );
    },

    async commitOf(serviceId, sha, ref) {
      return describe(git, await bare(builtIn(serviceId)), sha, ref);
    },

    async resolve(serviceId, name) {
      if (name.startsWith("-")) return undefined;
      const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
      return (await git.run(args, { cwd: await bare(builtIn(serviceId)) }).catch(absent))?.trim();
    },

    async checkOut(serviceId, source, dir, signal) {
      if (source.kind === "upload") {
        await uploaded.checkOut(safe(serviceId), source.sourceId, dir, signal);
        return {};
      }
      if (source.kind === "commit") {
        const repository = await bare(builtIn(serviceId));
        const commit = await describe(git, repository, source.sha, "");
        if (!commit)
          throw new Fault(
            "invalid",
            `the commit ${source.sha.slice(0, 12)} is not in the repository any more: push it again`,
          );
        await archive(repository, source.sha, dir, signal);
        // How it came here is known to the deployment already, and better.
        return {};
      }
      const { commit } = await fetchInto(fetched(serviceId), { serviceId }, source, dir, signal);
      return commit ? { commit } : {};
    },

    async fetchOnce({ id, projectId }, { url, ref }, dir, signal) {
      const repository = fetched(id);
      try {
        const source = { url, ref: ref ?? "HEAD" };
        const { commit, how } = await fetchInto(repository, { projectId }, source, dir, signal);
        if (!commit) throw new Error(`what was fetched from ${withoutCredentials(url)} is no commit`);
        return { commit, branch: ref ?? (await defaultBranch(git, url, { ...how, cwd: repository })) };
      } finally {
        await rm(repository, { recursive: true, force: true });
      }
    },
  };
}

/** What others pushed here lies on this machine as well, and is read with their right only. */
async function refuseOurOwn(url: string, gitDir: string): Promise<void> {
  if (URL.parse(url)?.protocol !== "file:") return;
  const real = (dir: string) => realpath(dir).catch(() => dir);
  if (`${await real(fileURLToPath(url))}/`.startsWith(`${await real(gitDir)}/`))
    throw new Fault(
      "invalid",
      "that folder belongs to Starform itself: push the code to the service instead",
    );
}

/** For all stores of this process: what one fetches into no other removes. */
const inTurn = turns();

/** One piece of work at a time for each key. */
function turns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work);
    const settled = mine.catch(() => undefined);
    last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (last.get(key) === settled) last.delete(key);
    }
  };
}

/** Names of folders come from ids of ours; this keeps it so. */
function safe(serviceId: string): string {
  if (!/^[\w-]{1,64}$/.test(serviceId)) throw new Fault("invalid", "that is not the id of a service");
  return serviceId;
}

async function describe(git: Git, cwd: string, sha: string, ref: string): Promise<Commit | undefined> {
  const format = "--format=%H%x00%an <%ae>%x00%B";
  const args = ["show", "--no-patch", format, "--end-of-options", `${sha}^{commit}`];
  const out = await git.beginning(args, { cwd, bytesMax: describedBytesMax }).catch(absent);
  if (out === undefined) return undefined;
  const [full = sha, author = "", message = ""] = out.text.split("\0");
  return { sha: full, ref, author: author.slice(0, 255), message: message.trim().slice(0, 1_024) };
}
