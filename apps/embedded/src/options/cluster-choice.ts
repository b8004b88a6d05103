import { existsSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { Fault } from "@starform/std/fault";
import type { Env } from "@starform/std/parse-env";
import type { Flags } from "./flags.ts";

/** Where apps run: on this machine, or on a Kubernetes cluster that Shuttle reaches with a kubeconfig. */
export type ClusterChoice =
  | { readonly kind: "embedded" }
  | {
      readonly kind: "kubernetes";
      /** As `KUBECONFIG`: several may be named. */
      readonly kubeconfigFile: string;
      readonly registry: RegistryChoice;
      readonly gatewayAddress: string | undefined;
    };
/** Where the cluster's nodes pull built images from. Never a secret: options are handed on in a command line. */
export type RegistryChoice =
  | { readonly kind: "loopback" }
  | { readonly kind: "address"; readonly address: string; readonly pemFile: string | undefined }
  | { readonly kind: "digitalocean"; readonly name: string; readonly tokenFile: string };

const ofCluster = ["kubeconfig", "registry-address", "registry-pem", "gateway-address"];

/** Checks what the flags say of the cluster; a Fault `invalid` says what is missing, and how to give it. */
export function clusterChoice(flags: Flags, env: Env): ClusterChoice {
  const kind = flags["cluster"] ?? "embedded";
  const useless = ofCluster.find((name) => flags[name] !== undefined);
  if (kind === "embedded") {
    if (useless) throw new Fault("invalid", `--${useless} is of use with --cluster kubernetes only`);
    return { kind };
  }
  if (kind !== "kubernetes")
    throw new Fault("invalid", `--cluster ${String(kind)} is no cluster: choose embedded or kubernetes`);
  return {
    kind,
    kubeconfigFile: kubeconfigOf(flags, env),
    registry: registryOf(flags, env),
    gatewayAddress: addressOf(flags, "gateway-address"),
  };
}

/** Paths are meant from where the person typed the command. */
const placed = (path: string, env: Env): string => resolve(env["INIT_CWD"] ?? process.cwd(), path);

function kubeconfigOf(flags: Flags, env: Env): string {
  const named = flags["kubeconfig"] ?? env["KUBECONFIG"];
  const files = typeof named === "string" ? named.split(delimiter).filter(Boolean) : [];
  if (files.length === 0)
    throw new Fault(
      "invalid",
      "--cluster kubernetes needs to know which: set KUBECONFIG to the cluster's kubeconfig, or name it with --kubeconfig <file>. Nothing is taken from ~/.kube/config unless it is named.",
    );
  const there = files.map((file) => placed(file, env)).filter((file) => existsSync(file));
  if (there.length === 0)
    throw new Fault(
      "invalid",
      `there is no ${files.join(" or ")}: set KUBECONFIG to the cluster's kubeconfig, or name it with --kubeconfig <file>`,
    );
  return there.join(delimiter);
}

function registryOf(flags: Flags, env: Env): RegistryChoice {
  const address = addressOf(flags, "registry-address");
  const pem = flags["registry-pem"];
  const name = env["DIGITALOCEAN_REGISTRY"];
  if (typeof pem === "string" && !address)
    throw new Fault(
      "invalid",
      "--registry-pem is the certificate of an address: give --registry-address too",
    );
  if (address)
    return { kind: "address", address, pemFile: typeof pem === "string" ? placed(pem, env) : undefined };
  if (!name) return { kind: "loopback" };
  const tokenFile = env["DIGITALOCEAN_TOKEN_FILE"];
  if (!tokenFile)
    throw new Fault(
      "invalid",
      "DIGITALOCEAN_REGISTRY is set: set DIGITALOCEAN_TOKEN_FILE to the file that holds its token too, or unset it",
    );
  return { kind: "digitalocean", name, tokenFile: placed(tokenFile, env) };
}

function addressOf(flags: Flags, name: string): string | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  if (typeof text === "string" && /^[\w.-]+:\d{1,5}$/.test(text) && Number(text.split(":")[1]) <= 65_535)
    return text;
  throw new Fault("invalid", `--${name} is written like 10.0.0.5:5000, not ${String(text)}`);
}
