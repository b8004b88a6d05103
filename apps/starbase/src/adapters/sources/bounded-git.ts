import { sayBytes } from "../process-builder/build-limits.ts";

/**
 * What each process of a git may have of memory that it writes to. A list of ten million branches takes more; the
 * repositories that were tried, with a gigabyte of history, a fifth of it.
 */
export const gitMemoryBytesMax = 512 * 2 ** 20;

/**
 * The program and its arguments that run git, and all that git starts, within so much memory: what a server names or
 * sends is its owner's to say, and git keeps much of it. Files that it maps to read from do not count.
 */
export const boundedGit = (args: readonly string[], bytesMax = gitMemoryBytesMax): [string, string[]] => [
  "sh",
  ["-c", 'ulimit -d "$0" 2>/dev/null; exec git "$@"', String(Math.floor(bytesMax / 1024)), ...args],
];

/** Settings with which large files pass through memory in pieces, and few of anything are kept there at once. */
export const frugalSettings = `[core]
	bigFileThreshold = 16m
	deltaBaseCacheLimit = 32m
	packedGitWindowSize = 32m
	packedGitLimit = 256m
[pack]
	threads = 2
	windowMemory = 64m
	deltaCacheSize = 64m
`;

/** Whether git ended for want of memory, by what it or one of its own said. */
export const isOutOfMemory = (stderr: string): boolean =>
  /out of memory|cannot allocate memory|memory exhausted|mmap failed/i.test(stderr);

export const takesTooMuchMemory = (shown: string, bytesMax = gitMemoryBytesMax): string =>
  `git would need more than ${sayBytes(bytesMax)} of memory for the repository ${shown}: it names too many branches and tags, or holds objects that are too large; take them out, or push the code instead`;
