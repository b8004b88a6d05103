import { isKubeError, type KubeError } from "@starform/kubernetes/kube-error";
import { isFault } from "@starform/std/fault";
import { isFullDisk } from "@starform/std/full-disk";
import { colourOf } from "./config.ts";
import { ExitError, exitCodes } from "./exit-error.ts";
import type { Host } from "./host.ts";
import { paintWith } from "./output/paint.ts";

/** Tells a person what went wrong in one sentence and says which exit code that is. */
export function tell(host: Host, error: unknown): number {
  const colour = colourOf(host.env);
  const paint = paintWith(colour === "always" || (colour === "on_terminals" && host.stderr.isTerminal));
  const stopped = host.interrupted.aborted ? host.interrupted.reason : undefined;
  const cause = stopped instanceof ExitError && !(error instanceof ExitError) ? stopped : error;
  host.stderr.write(`${paint("red", "✗")} ${sentenceOf(cause)}\n`);
  return cause instanceof ExitError ? cause.exitCode : exitCodes.failed;
}

function wayWith({ status }: KubeError): string {
  if (status === 0)
    return "\n  is the cluster up, and the one that is meant? See kubectl config current-context";
  if (status === 401)
    return "\n  the cluster does not take this kubeconfig's credentials: get them anew where the kubeconfig is from";
  return status === 403 ? "\n  use a kubeconfig of the cluster's administrator" : "";
}

function sentenceOf(error: unknown): string {
  if (error instanceof ExitError) return error.message;
  if (isFault(error)) {
    const issues = error.issues
      .filter(({ message }) => !error.message.includes(message))
      .map(({ path, message }) => `\n  ${path}: ${message}`);
    const way =
      error.code === "unauthenticated" && !error.message.includes("starform login")
        ? "\n  sign in: starform login"
        : "";
    return error.message + issues.join("") + way;
  }
  if (isFullDisk(error))
    return `the disk of this computer is full: free some space, and type the command again (${(error as Error).message})`;
  if (isKubeError(error)) return error.message + wayWith(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof Error && code?.startsWith("E")) return error.message;
  return `something unforeseen happened, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
