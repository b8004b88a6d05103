import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findProgram } from "./program.ts";

/** The tools of this machine that builds use in place of those a plan would install. */
export type MachineTools = {
  /** A folder of the right `node`, `npm`, `npx`, `corepack` and `python`, to be first in PATH where there is no sandbox. */
  readonly binDir: string;
  readonly nodePath: string;
  /** Node's own version, without the `v`. */
  readonly nodeVersion: string;
  /** Programs that are scripts in a folder of their own: npm and its like. */
  readonly packages: readonly { readonly name: string; readonly home: string; readonly file: string }[];
};

/**
 * Gathers the tools in `dir`. `nodePath` is the Node that builds get; npm is the machine's, run by that Node, so that
 * native modules fit what runs the app later. `searchPath` is where npm is looked for.
 */
export function gatherMachineTools(dir: string, nodePath: string, searchPath: string): MachineTools {
  const binDir = path.join(dir, "bin");
  mkdirSync(binDir, { recursive: true });
  const link = (name: string, target: string) => {
    rmSync(path.join(binDir, name), { force: true });
    symlinkSync(target, path.join(binDir, name));
  };
  link("node", nodePath);
  const packages: MachineTools["packages"][number][] = [];
  for (const name of ["npm", "npx", "corepack"]) {
    const found = findProgram(name, searchPath);
    if (!found) continue;
    link(name, found);
    const home = /^(.*\/node_modules\/[^/]+)\//.exec(found)?.[1] ?? path.dirname(found);
    packages.push({ name, home, file: path.relative(home, found) });
  }
  const python = ["/usr/bin/python3", "/usr/local/bin/python3"].find((file) => existsSync(file));
  // A script and not a link: a virtual environment remembers the path of the Python that made it.
  if (python) writeFileSync(path.join(binDir, "python"), `#!/bin/sh\nexec ${python} "$@"\n`, { mode: 0o755 });
  const nodeVersion = execFileSync(nodePath, ["--version"], { encoding: "utf8" }).trim().slice(1);
  return { binDir, nodePath: realpathSync(nodePath), nodeVersion, packages };
}

const trustAndProxy = [
  "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
  "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
  "npm_config_registry", "NPM_CONFIG_REGISTRY", "PIP_INDEX_URL", "GOPROXY", "GONOSUMDB", "GOFLAGS",
]; // prettier-ignore

/** Of the machine's environment what a build needs to reach package registries: proxies, certificates, mirrors. */
export const networkVariables = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(trustAndProxy.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
