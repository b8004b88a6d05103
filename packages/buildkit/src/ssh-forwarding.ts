import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { GrpcError, grpcCode } from "./grpc-framing.ts";
import type { Handler, ServedCall } from "./grpc-server.ts";
import { bytesMessage, codec } from "./protocol.ts";

const checkRequest = codec<{ id: string }>("CheckAgentRequest");

/** Carries the bytes between a build step's SSH socket and an agent here; what is signed with never leaves the agent. */
export const sshForwarding = (agents: Readonly<Record<string, string>>): Record<string, Handler> => ({
  async "/moby.sshforward.v1.SSH/CheckAgent"(call) {
    for await (const message of call.messages) socketOf(agents, checkRequest.decode(message).id);
    await call.send(Buffer.alloc(0));
  },
  async "/moby.sshforward.v1.SSH/ForwardAgent"(call) {
    const socket = await connected(socketOf(agents, call.metadata("buildkit.ssh.id")[0]));
    try {
      await Promise.all([fromAgent(socket, call), toAgent(socket, call)]);
    } finally {
      socket.destroy();
    }
  },
});

function socketOf(agents: Readonly<Record<string, string>>, id = ""): string {
  const socket = agents[id || "default"];
  if (socket === undefined)
    throw new GrpcError(grpcCode.notFound, `no SSH agent is offered as "${id || "default"}"`);
  return socket;
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  // Reading rejects by itself; a write after the agent has gone must not end the process.
  socket.on("error", () => undefined);
  await once(socket, "connect").catch((cause: Error) => {
    throw new GrpcError(grpcCode.unavailable, `the SSH agent at ${path} does not answer: ${cause.message}`);
  });
  return socket;
}

async function fromAgent(socket: Socket, call: ServedCall): Promise<void> {
  for await (const data of socket as AsyncIterable<Buffer>) await call.send(bytesMessage.encode({ data }));
}

async function toAgent(socket: Socket, call: ServedCall): Promise<void> {
  for await (const message of call.messages) {
    const { data } = bytesMessage.decode(message);
    if (data && data.length > 0 && !socket.write(data) && !socket.destroyed) await once(socket, "drain");
  }
  socket.end();
}
