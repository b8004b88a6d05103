import protobuf from "protobufjs";

/**
 * The part of BuildKit's public protocol that this client speaks, in our own words. Field numbers are the
 * contract; names never travel. Numbers that only old daemons read (exporter, exporterAttrs) stay: one
 * request works on all of them.
 */
const source = `
syntax = "proto3";

message Empty {}
message Bytes { bytes data = 1; }
message Time { int64 seconds = 1; int32 nanos = 2; }

message Platform { string architecture = 1; string os = 2; string variant = 3; }
message Input { string digest = 1; int64 index = 2; }
message Op {
  repeated Input inputs = 1;
  oneof op { ExecOp exec = 2; SourceOp source = 3; FileOp file = 4; MergeOp merge = 6; DiffOp diff = 7; }
  Platform platform = 10;
}
message MergeOp { repeated MergeInput inputs = 1; }
message MergeInput { int64 input = 1; }
message DiffOp { MergeInput lower = 1; MergeInput upper = 2; }
message SourceOp { string identifier = 1; map<string, string> attrs = 2; }
message ExecOp {
  ExecMeta meta = 1; repeated Mount mounts = 2; int32 network = 3; int32 security = 4; repeated SecretEnv secretenv = 5;
}
message SecretEnv { string id = 1; string name = 2; bool optional = 3; }
message ExecMeta { repeated string args = 1; repeated string env = 2; string cwd = 3; string user = 4; repeated HostIp extraHosts = 6; }
message HostIp { string host = 1; string ip = 2; }
message Mount {
  int64 input = 1; string selector = 2; string dest = 3; int64 output = 4; bool readonly = 5; int32 type = 6;
  CacheMount cache = 20; SecretMount secret = 21; SecretMount ssh = 22;
}
message CacheMount { string id = 1; int32 sharing = 2; }
message SecretMount { string id = 1; uint32 uid = 2; uint32 gid = 3; uint32 mode = 4; bool optional = 5; }
message FileOp { repeated FileAction actions = 2; }
message FileAction {
  int64 input = 1; int64 secondaryInput = 2; int64 output = 3;
  oneof action { FileCopy copy = 4; FileMake mkfile = 5; FileMkdir mkdir = 6; FileRemove rm = 7; }
}
message FileCopy {
  string src = 1; string dest = 2; int32 mode = 4; bool followSymlink = 5; bool dirCopyContents = 6;
  bool unpack = 7; bool createDestPath = 8; bool allowWildcard = 9; bool allowEmptyWildcard = 10;
  int64 timestamp = 11; repeated string includePatterns = 12; repeated string excludePatterns = 13;
}
message FileMake { string path = 1; int32 mode = 2; bytes data = 3; int64 timestamp = 5; }
message FileMkdir { string path = 1; int32 mode = 2; bool makeParents = 3; int64 timestamp = 5; }
message FileRemove { string path = 1; bool allowNotFound = 2; bool allowWildcard = 3; }
message OpMetadata { bool ignoreCache = 1; map<string, string> description = 2; }
message Definition { repeated bytes def = 1; map<string, OpMetadata> metadata = 2; }

message Exporter { string type = 1; map<string, string> attrs = 2; }
message CacheEntry { string type = 1; map<string, string> attrs = 2; }
message CacheOptions { repeated CacheEntry exports = 4; repeated CacheEntry imports = 5; }
message SolveRequest {
  string ref = 1; Definition definition = 2; string exporter = 3; map<string, string> exporterAttrs = 4;
  string session = 5; string frontend = 6; map<string, string> frontendAttrs = 7; CacheOptions cache = 8;
  bool internal = 11; repeated Exporter exporters = 13;
}
message SolveResponse { map<string, string> exporterResponse = 1; }
message StatusRequest { string ref = 1; }
message StatusResponse { repeated Vertex vertexes = 1; repeated VertexStatus statuses = 2; repeated VertexLog logs = 3; repeated VertexWarning warnings = 4; }
message Vertex { string digest = 1; repeated string inputs = 2; string name = 3; bool cached = 4; Time started = 5; Time completed = 6; string error = 7; }
message VertexStatus { string id = 1; string vertex = 2; string name = 3; int64 current = 4; int64 total = 5; Time timestamp = 6; Time started = 7; Time completed = 8; }
message VertexLog { string vertex = 1; Time timestamp = 2; int64 stream = 3; bytes msg = 4; }
message VertexWarning { string vertex = 1; int64 level = 2; bytes short = 3; }
message ListWorkersRequest { repeated string filter = 1; }
message ListWorkersResponse { repeated WorkerRecord record = 1; }
message WorkerRecord { string id = 1; map<string, string> labels = 2; repeated Platform platforms = 3; BuildkitVersion buildkitVersion = 5; }
message BuildkitVersion { string package = 1; string version = 2; string revision = 3; }
message DiskUsageRequest { repeated string filter = 1; }
message DiskUsageResponse { repeated UsageRecord record = 1; }
message UsageRecord {
  string id = 1; bool mutable = 2; bool inUse = 3; int64 size = 4; Time createdAt = 6; Time lastUsedAt = 7;
  int64 usageCount = 8; string description = 9; string recordType = 10; bool shared = 11;
}
message PruneRequest { repeated string filter = 1; bool all = 2; int64 keepDuration = 3; int64 keepBytes = 4; }

message Capability { string id = 1; bool enabled = 2; }
message PingResponse { repeated Capability frontend = 1; repeated Capability llb = 2; repeated WorkerRecord workers = 3; }
message BridgeSolveRequest {
  Definition definition = 1; string frontend = 2; map<string, string> frontendOpt = 3;
  bool allowResultReturn = 5; bool allowResultArrayRef = 6; bool evaluate = 14;
}
message BridgeRef { string id = 1; Definition def = 2; }
message BridgeRefs { map<string, BridgeRef> refs = 1; }
message BridgeResult {
  oneof result { string refOld = 1; BridgeRef ref = 3; BridgeRefs refs = 4; }
  map<string, bytes> metadata = 10;
}
message BridgeSolveResponse { string ref = 1; BridgeResult result = 3; }
message BridgeStatus { int32 code = 1; string message = 2; }
message ReturnRequest { BridgeResult result = 1; BridgeStatus error = 2; }
message ResolveImageRequest { string ref = 1; Platform platform = 2; string resolveMode = 3; string logName = 4; }
message ResolveImageResponse { string digest = 1; bytes config = 2; }
message ReadFileRequest { string ref = 1; string filePath = 2; }
message ReadFileResponse { bytes data = 1; }
message StatFileRequest { string ref = 1; string path = 2; }
message StatFileResponse { FileStat stat = 1; }

message Packet { int32 type = 1; FileStat stat = 2; uint32 id = 3; bytes data = 4; }
message FileStat { string path = 1; uint32 mode = 2; uint32 uid = 3; uint32 gid = 4; int64 size = 5; int64 modTime = 6; string linkname = 7; }
message SecretRequest { string id = 1; }
message CredentialsRequest { string host = 1; }
message CredentialsResponse { string username = 1; string secret = 2; }
message FetchTokenRequest { string clientId = 1; string host = 2; string realm = 3; string service = 4; repeated string scopes = 5; }
message FetchTokenResponse { string token = 1; int64 expiresIn = 2; int64 issuedAt = 3; }
message TokenAuthorityRequest { string host = 1; bytes salt = 2; }
message TokenAuthorityResponse { bytes publicKey = 1; }
message VerifyAuthorityRequest { string host = 1; bytes payload = 2; bytes salt = 3; }
message VerifyAuthorityResponse { bytes signed = 1; }
message CheckAgentRequest { string id = 1; }
message HealthResponse { int32 status = 1; }
`;

const { root } = protobuf.parse(source, { keepCase: true });

/** Encodes and decodes one message; decoded 64-bit numbers are plain numbers, maps and lists always present. */
export type Codec<T> = { encode(value: Partial<T>): Buffer; decode(bytes: Uint8Array): T };

export function codec<T extends object>(name: string): Codec<T> {
  const type = root.lookupType(name);
  return {
    // In Node the writer's result is a Buffer already.
    encode: (value) => type.encode(value as Record<string, unknown>).finish() as Buffer,
    decode: (bytes) =>
      type.toObject(type.decode(bytes), { longs: Number, arrays: true, objects: true, defaults: false }) as T,
  };
}

export type Empty = Record<string, never>;
export const empty = codec<Empty>("Empty");
export const bytesMessage = codec<{ data: Uint8Array }>("Bytes");
