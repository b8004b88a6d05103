import type { Socket } from "node:net";

/** A mistake of ours on one connection must not end those of all others: it is said, and that connection is cut. */
export function guarded(socket: Socket, work: () => void): void {
  try {
    work();
  } catch (error) {
    console.error("a connection was cut because of a mistake in the gateway:", error);
    socket.destroy();
  }
}
