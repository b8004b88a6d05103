/** A name of an image, taken apart as Docker reads it. */
export type ImageReference = {
  /** `docker.io` where the name has no host. */
  readonly host: string;
  /** Behind the host: `library/nginx`, `acme/web`. */
  readonly path: string;
  readonly tag: string | undefined;
  /** `sha256:…` */
  readonly digest: string | undefined;
};

const dockerHub = "docker.io";
const aliases: readonly string[] = ["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/** One spelling for each registry: Docker Hub has several. */
export const registryHost = (host: string): string => {
  const small = host.toLowerCase();
  return aliases.includes(small) ? dockerHub : small;
};

/** Reads a name that `checkImage` let pass. */
export function readReference(image: string): ImageReference {
  const [name = "", digest] = image.split("@");
  const first = name.slice(0, Math.max(0, name.indexOf("/")));
  const hasHost = first !== "" && (/[.:]/.test(first) || first === "localhost");
  const rest = hasHost ? name.slice(first.length + 1) : name;
  const colon = rest.indexOf(":");
  const [path, tag] = colon < 0 ? [rest, undefined] : [rest.slice(0, colon), rest.slice(colon + 1)];
  const host = hasHost ? registryHost(first) : dockerHub;
  const isOfficial = host === dockerHub && !path.includes("/");
  return { host, path: isOfficial ? `library/${path}` : path, tag, digest };
}

/** The name as it was written, with a digest in place of its tag: what a receipt holds. */
export const pinned = (image: string, digest: string): string => {
  const name = image.split("@")[0]!;
  const slash = name.lastIndexOf("/");
  const colon = name.indexOf(":", slash + 1);
  return `${colon < 0 ? name : name.slice(0, colon)}@${digest}`;
};
