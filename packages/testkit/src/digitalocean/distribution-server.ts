import { randomUUID } from "node:crypto";
import { sha256Of, type StoredImages } from "./stored-images.ts";

export type Reply = {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
};
export type DistributionAsk = {
  readonly method: string;
  readonly url: URL;
  readonly body: Buffer;
  readonly contentType: string;
};

const refusal = (status: number, code: string): Reply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }),
});
const paths =
  /^\/v2\/[a-z0-9-]+\/(?<name>.+?)\/(?:blobs\/uploads\/(?<upload>[^/]*)|blobs\/(?<blob>sha256:[0-9a-f]{64})|manifests\/(?<reference>[^/]+))$/;

/** The part of the OCI distribution protocol that pushing and pulling small images takes; uploads in one piece. */
export function distributionServer(images: StoredImages) {
  return ({ method, url, body, contentType }: DistributionAsk): Reply => {
    const { name = "", upload, blob, reference } = paths.exec(url.pathname)?.groups ?? {};
    if (upload !== undefined && method === "POST")
      return { status: 202, headers: { location: `${url.pathname}${randomUUID()}` } };
    if (upload !== undefined && method === "PUT") {
      const digest = sha256Of(body);
      if (url.searchParams.get("digest") !== digest) return refusal(400, "DIGEST_INVALID");
      images.blobs.set(digest, body);
      return { status: 201 };
    }
    if (blob && (method === "GET" || method === "HEAD")) {
      const bytes = images.blobs.get(blob);
      return bytes ? { status: 200, body: bytes } : refusal(404, "BLOB_UNKNOWN");
    }
    if (reference && method === "PUT") {
      const digest = images.put(name, reference, body, contentType);
      const lacking = images.blobsOf(images.find(name, digest)!).some((one) => !images.blobs.has(one.digest));
      if (lacking) images.remove(name, digest);
      return lacking ? refusal(400, "BLOB_UNKNOWN") : { status: 201 };
    }
    if (reference && (method === "GET" || method === "HEAD")) {
      const found = images.find(name, reference);
      return found
        ? {
            status: 200,
            headers: { "content-type": found.type, "docker-content-digest": sha256Of(found.bytes) },
            body: found.bytes,
          }
        : refusal(404, "MANIFEST_UNKNOWN");
    }
    return refusal(404, "UNSUPPORTED");
  };
}
