import { passOnSigtermScript } from "../../../core/who-hears-sigterm.ts";
import type { DockerApi } from "./docker-api.ts";

/**
 * Lets a container send SIGTERM past package managers and shells to its app, and waits until that has ended, at most
 * `withinMs`. Resolves at once where nobody stands between, and where there is no shell to ask: the engine's own SIGTERM
 * is right there.
 */
export async function passOnSigterm(api: DockerApi, id: string, withinMs: number): Promise<void> {
  try {
    const path = `/containers/${encodeURIComponent(id)}`;
    const made = await api.call("POST", `${path}/exec`, {
      Cmd: ["/bin/sh", "-c", passOnSigtermScript],
      AttachStdout: true,
    });
    if (made.status !== 201) return;
    const { Id } = made.body as { Id: string };
    // What is carried out in a container that ends is not always told to have ended.
    await Promise.race([
      api.call("POST", `/exec/${Id}/start`, { Detach: false }, withinMs),
      api.call("POST", `${path}/wait`, undefined, withinMs),
    ]);
  } catch {
    // The app took its whole time, or the engine is away: whatever is done next will tell.
  }
}
