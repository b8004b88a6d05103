import { randomUUID } from "node:crypto";
import { Duplex } from "node:stream";
import { setImmediate as immediate } from "node:timers/promises";
import type { Writable } from "node:stream";
import type { ClientHttp2Stream } from "node:http2";
import { BuilderLost } from "./builder-lost.ts";
import { receive } from "./file-receive.ts";
import { fileSync, type LocalDir } from "./file-sync.ts";
import type { GrpcChannel } from "./grpc-client.ts";
import { GrpcError, grpcCode, unframe } from "./grpc-framing.ts";
import { answer, serveGrpc, type Handler } from "./grpc-server.ts";
import { bytesMessage, codec } from "./protocol.ts";
import { registrySignIn, type RegistryAuth } from "./registry-sign-in.ts";
import { sshForwarding } from "./ssh-forwarding.ts";
import { sessionHeaders, type SessionOffer, type Transport } from "./transport.ts";

/** What the builder may ask of this side while it builds. */
export type SessionServices = {
  /** Builds with the same key send only what changed since. Keep tenants apart by it. */
  readonly sharedKey: string;
  readonly dirs?: Readonly<Record<string, LocalDir>>;
  /** By id; the values never leave through anything but a secret mount. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>>;
  /** Credentials by registry host; others are used anonymously. */
  readonly registryAuth?: RegistryAuth;
  /** Where an export to this side goes: one stream for `tar`, `oci` and `docker`, a folder for `local`. */
  readonly output?: { readonly stream: Writable } | { readonly dir: string };
  /** Sockets of SSH agents by id ("default" is what mounts ask for that name none). Keys stay with the agent. */
  readonly sshAgents?: Readonly<Record<string, string>>;
};

export type Session = {
  readonly id: string;
  /** Fires when the connection is gone on which the builder asks: a build would wait in vain, or go on unheard. */
  readonly lost: AbortSignal;
  close(): void;
};

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
    : tunnel(channel, channel.open("/moby.buildkit.v1.Control/Session", { metadata: sessionHeaders(offer) }));
  const server = serveGrpc(socket, handlers);
  const lost = new AbortController();
  const gone = (): void =>
    lost.abort(new BuilderLost("the connection on which the builder asks for files was lost"));
  server.on("close", gone);
  socket.on("close", gone);
  await immediate();
  return {
    id: offer.id,
    lost: lost.signal,
    close: () => {
      server.destroy();
      socket.destroy();
    },
  };
}

const secretRequest = codec<{ id: string }>("SecretRequest");
const health = codec<{ status: number }>("HealthResponse");
const emptyMessage = Buffer.alloc(0);

function handlersOf(services: SessionServices): Record<string, Handler> {
  return {
    "/grpc.health.v1.Health/Check": answer(() => health.encode({ status: 1 })),
    "/moby.filesync.v1.FileSync/DiffCopy": fileSync(services.dirs ?? {}),
    "/moby.buildkit.secrets.v1.Secrets/GetSecret": answer((bytes) => secretOf(services, bytes)),
    ...registrySignIn(services.registryAuth),
    ...(services.output && { "/moby.filesync.v1.FileSend/DiffCopy": receive(services.output) }),
    ...(services.sshAgents && sshForwarding(services.sshAgents)),
  };
}

function secretOf({ secrets = {} }: SessionServices, bytes: Buffer): Uint8Array {
  const { id = "" } = secretRequest.decode(bytes);
  if (!Object.hasOwn(secrets, id)) throw new GrpcError(grpcCode.notFound, `secret ${id} is not set`);
  const value = secrets[id] ?? "";
  return bytesMessage.encode({ data: typeof value === "string" ? Buffer.from(value) : value });
}

/** Control.Session carries the session's bytes as messages; this makes a byte stream of them again. */
function tunnel({ frame }: GrpcChannel, call: ClientHttp2Stream): Duplex {
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
