/** What the registry's configuration and every token say of each other. */
export const registryIssuer = "starform";
export const registryService = "starform-registry";
/** Where Starbase's API serves tokens. */
export const registryTokenPath = "/registry/token";

/**
 * The configuration file for `docker-registry serve` (2.8; JSON is YAML): on loopback, images in a folder, deletion on,
 * every request with a token of ours. Without a cache of blobs, which would believe in layers that a collection of
 * garbage has removed. Pushes that were never finished go after a day.
 */
export function dockerRegistryConfig(options: {
  readonly port: number;
  readonly storageDir: string;
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** PEM; tokens signed with another key are refused. */
  readonly certificateFile: string;
}): string {
  const { port, storageDir, realm, service, issuer, certificateFile } = options;
  const config = {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storageDir },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: true, age: "24h", interval: "6h", dryrun: false } },
    },
    http: { addr: `127.0.0.1:${port}`, relativeurls: true },
    auth: { token: { realm, service, issuer, rootcertbundle: certificateFile } },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
