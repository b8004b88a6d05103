import { sayDuration } from "@starform/std/duration";
import { shorten } from "./shorten.ts";

export type Ending = {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly isOom: boolean;
};
export type Listener = { readonly port: number; readonly isLoopback: boolean };
export type ProbeAnswer = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Bytes as a person writes a limit: `512 MiB`, `2 GiB`. */
export const sayBytes = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${+(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;

const seeLogs = "see why with starform logs";

/** Why an instance ended, and what to do. */
export function reasonOfEnding(
  { exitCode, signal, isOom }: Ending,
  context: {
    tier: string;
    memoryBytes: number;
    ranForMs: number;
    command: string;
    lastLine: string | undefined;
    /** What may be wrong, and what to do about it, where more is known than its exit code. */
    hint?: string | undefined;
    /** It is told in the log itself, below what the app said last. */
    isInLog?: boolean;
  },
): string {
  if (isOom)
    return `killed: used more than ${sayBytes(context.memoryBytes)}, the limit of tier ${context.tier}: make it use less, or give it a larger one with starform scale --tier`;
  const said = context.lastLine && !context.isInLog ? `; its last line: ${shorten(context.lastLine)}` : "";
  if (exitCode === 127) return `${reasonOfAbsentCommand(context.command)}${said}`;
  if (exitCode === 126)
    return `the start command cannot be executed: ${shorten(context.command)}; make its file executable (chmod +x), or correct it${said}`;
  const after = `after ${sayDuration(context.ranForMs)}`;
  const name = signal ?? signalOf(exitCode);
  const seeWhy = context.isInLog ? "" : `: ${seeLogs}`;
  if (name) return `ended by signal ${name} ${after}${seeWhy}${said}`;
  if (exitCode === null) return `ended ${after}, and its exit code is not known${seeWhy}`;
  if (exitCode === 0) return `exited with code 0 ${after}: let the start command keep running${said}`;
  return `exited with code ${exitCode} ${after}${context.hint ? `: ${context.hint}` : seeWhy}${said}`;
}

/** What an app is told that had to be killed when it was to make room. */
export const reasonOfKill = (drainMs: number): string =>
  `killed because it did not end within ${sayDuration(drainMs)} of SIGTERM: let it end when SIGTERM comes, or give it longer (\`starform services update --drain\`)`;

/** Of an instance that wrote more than it may keep beside its volumes. */
export const reasonOfDisk = (limitBytes: number, where: string): string =>
  `killed: wrote more than ${sayBytes(limitBytes)} ${where}, which is all that an instance may: let it delete what it needs no more, or keep it in a bucket or a database`;

/** Why nothing answers on the port yet; undefined when no more is known than that it is not open. */
export function reasonOfSilence(
  port: number,
  listeners: readonly Listener[],
  isolatesNetwork: boolean,
): string | undefined {
  const own = listeners.filter((listener) => listener.port === port);
  if (own.length > 0)
    return isolatesNetwork && own.every((listener) => listener.isLoopback)
      ? `listens on 127.0.0.1:${port} only, where nothing outside can reach it: listen on 0.0.0.0`
      : undefined;
  const others = [...new Set(listeners.map((listener) => listener.port))].sort((a, b) => a - b);
  if (others.length === 0) return undefined;
  return `listens on ${others.join(", ")}, but PORT is ${port}: listen on the port in PORT`;
}

const makeItAnswer = "make it answer with 200, or name another path under healthCheck";

/** Why an instance was given up that did not become ready in time. */
export function reasonOfTimeout(
  timeoutMs: number,
  port: number | null,
  silence: string | undefined,
  answer: string | undefined,
) {
  const cause =
    silence ??
    (answer && `${answer}; ${makeItAnswer}`) ??
    (port === null ? seeLogs : `nothing listens on port ${port}: listen on the port in PORT`);
  return `not ready within ${sayDuration(timeoutMs)}: ${cause}`;
}

export const reasonOfLiveness = (fails: number, answer: string): string =>
  `failed ${fails} health checks in a row: ${answer}; ${makeItAnswer}`;
export const reasonOfAbsentCommand = (command: string): string =>
  `the start command was not found: ${shorten(command)}; correct it, or add the package that brings it`;
export const reasonOfNoShell = (image: string): string =>
  `a start command is run by /bin/sh, and the image ${image} has none: leave the start command out, so that the image's own is run`;
export const reasonOfMissingImage = (image: string): string =>
  `the image ${image} is not on this machine: deploy again to build it`;
export const reasonOfAbsentImage = (image: string): string =>
  `the image ${image} is not in the registry: deploy again to build it`;
export const reasonOfRefusedImage = (image: string): string =>
  `the registry does not let this cluster have the image ${image}: its operator must renew the pull secret`;
export const reasonOfPull = (image: string, said: string): string =>
  `the image ${image} cannot be pulled yet and is tried again: ${shorten(said)}`;
export const reasonOfSecurity = (said: string): string =>
  `refused by the cluster's Pod Security, which no app may go below: ${shorten(said)}`;

export const reasonOfRootImage = (): string =>
  "the image runs as root, which no app may: name a user of its own in it by number, like USER 1000 in its Dockerfile, and deploy it again";
export const reasonOfNamedUser = (): string =>
  "the image names its user by name, so that nobody can tell whether it is root: name it by number, like USER 1000 in its Dockerfile, and deploy it again";
/** Of an app that was denied something on a cluster where none is root. */
export const hintOfDenial = (userId: number): string =>
  `something was denied to it, and it runs as user ${userId}, not as root: let what it writes to belong to that user (COPY --chown=${userId}, or chown in its Dockerfile), or write to /tmp`;

/** Why there is no room: how much of a limit is in use, and by which environments, the largest first. */
export function reasonOfQuota(
  limit: { readonly used: string; readonly limit: string; readonly what: string },
  users: readonly { readonly environment: string; readonly amount: string }[],
): string {
  const { used, limit: most, what } = limit;
  const [first] = users;
  if (!first) return `quota: ${used} of ${most} ${what} in use`;
  if (users.length === 1) return `quota: ${used} of ${most} ${what} in use by ${first.environment}`;
  const shares = users.map(({ environment, amount }) => `${amount} by ${environment}`);
  return `quota: ${used} of ${most} ${what} in use, ${shares.join(", ")}`;
}

/** Of an instance of which nothing is heard any more. */
export const reasonOfLostNode = (): string =>
  "its node does not answer: unless that is back before, it is begun anew on another one after 5 minutes";

/** Of a service whose volume is where nothing is heard of. */
export const reasonOfHeldVolume = (): string =>
  "the instance before it is on a node that does not answer, and its volume is there: it begins when the node is back, or has been removed from the cluster";

/** Why no node takes an instance. */
export const reasonOfPlacement = (said: string): string =>
  `no node of the cluster has room: ${shorten(said)}`;

export const reasonOfMissingCommand = (): string =>
  "there is no start command: set one in starform.json, in a Procfile or as the service's start command";

function signalOf(exitCode: number | null): string | undefined {
  if (exitCode === null || exitCode <= 128 || exitCode > 165) return undefined;
  const names: Record<number, string> = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    11: "SIGSEGV",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    24: "SIGXCPU",
    25: "SIGXFSZ",
    31: "SIGSYS",
  };
  return names[exitCode - 128];
}
