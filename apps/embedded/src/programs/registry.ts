import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  dockerRegistryConfig,
  registryIssuer,
  registryService,
  registryTokenPath,
} from "@starform/std/docker-registry-config";
import { findProgram } from "../debian-packages.ts";
import type { Secrets } from "../data-dir/secrets.ts";
import type { Program } from "../supervisor/program.ts";
import { isHttpReady } from "./http-ready.ts";

export const registryProgramName = "docker-registry";

/**
 * Debian's docker-registry, if this machine has it. Starbase signs what it believes; it is handed the certificate only.
 * Nothing in the platform waits for it: what runs here comes from the runtime's own store.
 */
export function registryProgram(options: {
  readonly dataDir: string;
  readonly port: number;
  readonly apiUrl: string;
  readonly secrets: Secrets;
}): Program | undefined {
  const file = findProgram(registryProgramName);
  if (!file) return undefined;
  const { port, apiUrl, secrets } = options;
  const dir = join(options.dataDir, "registry");
  const [configFile, certificateFile, storageDir] = [
    join(dir, "config.yml"),
    join(dir, "certificate.pem"),
    join(dir, "storage"),
  ];
  return {
    name: "registry",
    after: [],
    async prepare() {
      await mkdir(storageDir, { recursive: true, mode: 0o700 });
      await writeFile(certificateFile, certificateIn(secrets.read("registry.pem")), { mode: 0o600 });
      const config = dockerRegistryConfig({
        port,
        storageDir,
        certificateFile,
        realm: `${apiUrl}${registryTokenPath}`,
        service: registryService,
        issuer: registryIssuer,
      });
      await writeFile(configFile, config, { mode: 0o600 });
    },
    command: { file, args: ["serve", configFile], env: {} },
    isReady: () => isHttpReady(port, "/"),
    stopSignal: "SIGTERM",
    stopWithinMs: 10_000,
    isOptional: true,
  };
}

/** The certificate out of the one file that holds it beside its key. */
const certificateIn = (pem: string): string => `${pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----"))}\n`;
