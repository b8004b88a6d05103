import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";

const token = () => randomBytes(32).toString("base64url");

/** What each file of `secrets/` holds when it is made; an existing one is never touched. */
const makers = {
  /** `<key id>:<32 bytes in base64>` */
  "encryption.key": () => `k1:${randomBytes(32).toString("base64")}`,
  "session.key": token,
  /** `<key id>:<32 bytes in base64>`: what Starbase signs desired state with. */
  "signing.key": () => `k1:${randomBytes(32).toString("base64")}`,
  "owner-token": () => `sf_${token()}`,
  "cluster-token": token,
  "telemetry-password": token,
  "gateway-admin-token": token,
  "metrics-password": token,
  "postgres-password": token,
  "cluster-id": () => randomUUID(),
  /** A key and its certificate: what Starbase signs the registry's tokens with. */
  "registry.pem": () => {
    const { key, certificate } = selfSignedCertificate("Starform registry", new Date());
    return `${key}${certificate}`.trim();
  },
} as const;

export type SecretName = keyof typeof makers | "database-url" | "signing.pub";
export type Secrets = {
  fileOf(name: SecretName): string;
  read(name: SecretName): string;
  write(name: SecretName, value: string): void;
};

/** Makes what is missing, each file readable by its owner only. */
export function openSecrets(dataDir: string): Secrets {
  const fileOf = (name: SecretName) => join(dataDir, "secrets", name);
  for (const [name, make] of Object.entries(makers)) {
    const path = fileOf(name as SecretName);
    if (!existsSync(path)) create(path, make());
  }
  return {
    fileOf,
    read: (name) => readFileSync(fileOf(name), "utf8").trim(),
    write: (name, value) => writeFileSync(fileOf(name), `${value}\n`, { mode: 0o600 }),
  };
}

/** Whole or not at all: a start that is cut off must not leave an empty key. */
function create(path: string, value: string): void {
  const draft = `${path}.making`;
  writeFileSync(draft, `${value}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
