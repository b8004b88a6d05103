import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { Duplex } from "node:stream";
import { setImmediate as immediate } from "node:timers/promises";
import type { Writable } from "node:stream";
import type { ClientHttp2Stream } from "node:http2";
import { fileSync, type LocalDir } from "./file-sync.ts";
import type { GrpcChannel } from "./grpc-client.ts";
import { frame, GrpcError, grpcCode, unframe } from "./grpc-framing.ts";
import { serveGrpc, type Handler } from "./grpc-server.ts";
import { bytesMessage, codec } from "./protocol.ts";
import { sessionHeaders, type SessionOffer, type Transport } from "./transport.ts";

/** What the builder may ask of this side while it builds. */
export type SessionServices = {
  /** Builds with the same key send only what changed since. Keep tenants apart by it. */
  readonly sharedKey: string;
  readonly dirs?: Readonly<Record<string, LocalDir>>;
  /** By id; the values never leave through anything but a secret mount. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>>;
  /** Credentials by registry host; others are used anonymously. */
  readonly registryAuth?: Readonly<Record<string, { username: string; password: string }>>;
  /** Where a `tar` or `oci` export goes. */
  readonly output?: Writable;
  /** An SSH agent's socket, offered as "default". */
  readonly sshAgent?: string;
};

export type Session = { readonly id: string; close(): void };

/** Opens a session: from now on the builder may call the services until it is closed. */
export async function openSession(
  transport: Transport,
  channel: GrpcChannel,
  services: SessionServices,
): Promise<Session> {
  const handlers = handlersOf(services);
  const offer: SessionOffer = {
    id: randomUUID(),
    name: "starform",
    sharedKey: services.sharedKey,
    methods: Object.keys(handlers),
  };
  const socket = transport.openSession
    ? await transport.openSession(offer)
    : tunnel(channel.open("/moby.buildkit.v1.Control/Session", { metadata: sessionHeaders(offer) }));
  const server = serveGrpc(socket, handlers);
  await immediate();
  return {
    id: offer.id,
    close: () => {
      server.destroy();
      socket.destroy();
    },
  };
}

const secretRequest = codec<{ id: string }>("SecretRequest");
const credentialsRequest = codec<{ host: string }>("CredentialsRequest");
const credentials = codec<{ username: string; secret: string }>("CredentialsResponse");
const health = codec<{ status: number }>("HealthResponse");
const emptyMessage = Buffer.alloc(0);

function handlersOf(services: SessionServices): Record<string, Handler> {
  return {
    "/grpc.health.v1.Health/Check": answer(() => health.encode({ status: 1 })),
    "/moby.filesync.v1.FileSync/DiffCopy": fileSync(services.dirs ?? {}),
    "/moby.buildkit.secrets.v1.Secrets/GetSecret": answer((bytes) => secretOf(services, bytes)),
    "/moby.filesync.v1.Auth/Credentials": answer((bytes) => credentialsOf(services, bytes)),
    ...(services.output && { "/moby.filesync.v1.FileSend/DiffCopy": receiveInto(services.output) }),
    ...(services.sshAgent && {
      "/moby.sshforward.v1.SSH/CheckAgent": answer(() => emptyMessage),
      "/moby.sshforward.v1.SSH/ForwardAgent": forwardTo(services.sshAgent),
    }),
  };
}

const answer =
  (reply: (message: Buffer) => Uint8Array): Handler =>
  async (call) => {
    for await (const message of call.messages) {
      await call.send(reply(message));
      return;
    }
    await call.send(reply(emptyMessage));
  };

function secretOf({ secrets = {} }: SessionServices, bytes: Buffer): Uint8Array {
  const { id = "" } = secretRequest.decode(bytes);
  if (!Object.hasOwn(secrets, id)) throw new GrpcError(grpcCode.notFound, `secret ${id} is not set`);
  const value = secrets[id] ?? "";
  return bytesMessage.encode({ data: typeof value === "string" ? Buffer.from(value) : value });
}

function credentialsOf({ registryAuth = {} }: SessionServices, bytes: Buffer): Uint8Array {
  const known = registryAuth[credentialsRequest.decode(bytes).host ?? ""];
  return credentials.encode(known ? { username: known.username, secret: known.password } : {});
}

const receiveInto =
  (output: Writable): Handler =>
  async (call) => {
    for await (const message of call.messages)
      if (!output.write(bytesMessage.decode(message).data ?? emptyMessage)) await once(output, "drain");
    await new Promise<void>((resolve) => output.end(resolve));
  };

const forwardTo =
  (agent: string): Handler =>
  async (call) => {
    const socket = connect(agent);
    const back = (async () => {
      for await (const data of socket as AsyncIterable<Buffer>)
        await call.send(bytesMessage.encode({ data }));
    })();
    for await (const message of call.messages)
      socket.write(bytesMessage.decode(message).data ?? emptyMessage);
    socket.end();
    await back;
  };

/** Control.Session carries the session's bytes as messages; this makes a byte stream of them again. */
function tunnel(call: ClientHttp2Stream): Duplex {
  const incoming = unframe(call);
  return new Duplex({
    read() {
      incoming.next().then(
        ({ done, value }) =>
          this.push(done ? null : Buffer.from(bytesMessage.decode(value).data ?? emptyMessage)),
        (error: Error) => this.destroy(error),
      );
    },
    write(chunk: Buffer, _encoding, done) {
      call.write(frame(bytesMessage.encode({ data: chunk })), done);
    },
    final(done) {
      call.end(done);
    },
    destroy(error, done) {
      call.destroy();
      done(error);
    },
  });
}
