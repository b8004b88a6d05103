import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  canDebootstrap,
  debianOfMachine,
  debianRecipe,
  debianTar,
  installBuilderPackages,
  isReachable,
  type Debian,
  type Role,
} from "./base-debian.ts";
import { copyHostSystem } from "./base-host.ts";
import {
  addMiseStandIn,
  addNode,
  addTrust,
  nodeBinary,
  npmFolder,
  trustBundle,
  type NodeBinary,
} from "./base-node.ts";
import { openBuildKit } from "./client.ts";
import { dockerEngine, type Engine } from "./engine.ts";
import { define, exec, files, image, local, type Tree } from "./llb.ts";
import { dockerTransport } from "./transport.ts";

export type BaseOptions = {
  /** Keeps Debian trees and Node programs, so that the next engine needs no network. */
  readonly cacheDir: string;
  /** "24", "22.11" or "24.21.0"; the newest that fits is taken. */
  readonly nodeVersion: string;
  readonly log: (line: string) => void;
  /** `host` copies this machine's programs at once. Default: Debian, with apt, where it can be had; a minute or two the first time. */
  readonly form?: "host";
};

export type BaseImages = { readonly builder: string; readonly runtime: string };

type Recipe = {
  engineSocket: string;
  engine: Engine;
  node: NodeBinary;
  npm: { path: string; version: string };
  options: BaseOptions;
};

const env = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  builder: {
    NODE_EXTRA_CA_CERTS: trustBundle,
    SSL_CERT_FILE: trustBundle,
    PIP_CERT: trustBundle,
    npm_config_update_notifier: "false",
  },
  runtime: {},
};

/**
 * The images that builds start from and apps run in, made on this machine without any image registry: once per
 * Node version and recipe, and found again by name. The log says which form was chosen and why. On a machine that
 * is no Linux there is nothing to make them of: there they are Node's official images.
 * Rejects when Node's version cannot be had or the engine is not there.
 */
export async function ensureBaseImages(engineSocket: string, options: BaseOptions): Promise<BaseImages> {
  const { nodeVersion, cacheDir } = options;
  if (process.platform !== "linux") return officialImages(engineSocket, options);
  const [node, npm, debian] = await Promise.all([
    nodeBinary(nodeVersion, cacheDir),
    npmFolder(),
    debianOfMachine(),
  ]);
  const recipe: Recipe = { engineSocket, engine: dockerEngine(engineSocket), node, npm, options };
  if (!debian || options.form === "host" || !(await canBeDebian(recipe, debian)))
    return ensureHostImage(recipe);
  const builder = await ensureDebianImage(recipe, "builder", debian);
  return { builder, runtime: await ensureDebianImage(recipe, "runtime", debian) };
}

/** Node's official image with what plans call for that it does not have. */
async function officialImages(
  engineSocket: string,
  { nodeVersion, cacheDir, log }: BaseOptions,
): Promise<BaseImages> {
  const official = `node:${nodeVersion}-bookworm`;
  const name = `starform-base/builder:node${nodeVersion}-official`;
  if (!(await dockerEngine(engineSocket).image(name))) {
    log(`base images: making ${name} from ${official}`);
    await mkdir(cacheDir, { recursive: true });
    const root = await mkdtemp(join(cacheDir, "base-"));
    try {
      await addMiseStandIn(root);
      await exportImage(engineSocket, [name], root, image(official, { resolve: "default" }), {});
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }
  return { builder: name, runtime: name };
}

/** What was made before decides, so that the same machine gives the same answer with its network down. */
async function canBeDebian(recipe: Recipe, debian: Debian): Promise<boolean> {
  const { log } = recipe.options;
  const names = await Promise.all(
    (["builder", "runtime"] as const).map((role) => imageName(recipe, role, debian)),
  );
  if ((await Promise.all(names.map((name) => recipe.engine.image(name)))).every(Boolean)) return true;
  const instead = "so they are copied from this machine; apt-get will not work in builds";
  if (!(await isReachable(debian))) log(`base images: no Debian mirror answers, ${instead}`);
  else if (!(await canDebootstrap(log)))
    log(`base images: mmdebstrap cannot run here (it needs root), ${instead}`);
  else return true;
  return false;
}

/** The same inputs give the same name. */
async function imageName({ node, npm }: Recipe, role: Role, debian: Debian | undefined): Promise<string> {
  const form = debian ? `debian-${debian.suite}` : "host";
  const hash = createHash("sha256").update(debian ? debianRecipe(role, debian) : "host 3");
  hash.update(await readFile(new URL("base/mise.mjs", import.meta.url)));
  hash.update(await readFile(trustBundle).catch(() => ""));
  hash.update(npm.version).update(JSON.stringify(env));
  return `starform-base/${role}:node${node.version}-${form}-${hash.digest("hex").slice(0, 10)}`;
}

/** This machine's programs serve both roles: one image with two names. */
async function ensureHostImage(recipe: Recipe): Promise<BaseImages> {
  const [builder, runtime] = await Promise.all([
    imageName(recipe, "builder", undefined),
    imageName(recipe, "runtime", undefined),
  ]);
  const found = await Promise.all([recipe.engine.image(builder), recipe.engine.image(runtime)]);
  if (!found.every(Boolean))
    await makeImage(recipe, [builder, runtime], env.builder, async (root) => {
      await copyHostSystem(root);
      return undefined;
    });
  return { builder, runtime };
}

async function ensureDebianImage(recipe: Recipe, role: Role, debian: Debian): Promise<string> {
  const name = await imageName(recipe, role, debian);
  if (!(await recipe.engine.image(name)))
    await makeImage(recipe, [name], env[role], async () =>
      debianTree(await debianImage(recipe, debian), role),
    );
  return name;
}

/** The builder's packages are installed in a step of the build, over the runtime's files. */
function debianTree(runtime: string, role: Role): Tree {
  const base = image(runtime);
  if (role === "runtime") return base;
  return exec({
    base,
    args: ["/bin/sh", "-c", installBuilderPackages],
    env: { PATH: env.PATH, DEBIAN_FRONTEND: "noninteractive" },
    cwd: "/",
    name: "install the builder's packages",
  });
}

/** Lays Node and what this machine trusts over a tree, and stores the result under the names. */
async function makeImage(
  recipe: Recipe,
  names: readonly string[],
  variables: Readonly<Record<string, string>>,
  baseFor: (root: string) => Promise<Tree>,
): Promise<void> {
  const { cacheDir, log } = recipe.options;
  const startedAt = Date.now();
  log(`base images: making ${names.join(" and ")} (once; with Debian it takes a minute or two)`);
  await mkdir(cacheDir, { recursive: true });
  const root = await mkdtemp(join(cacheDir, "base-"));
  try {
    const below = await baseFor(root);
    await addTrust(root);
    await addNode(root, recipe.node, recipe.npm);
    await exportImage(recipe.engineSocket, names, root, below, variables);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  log(`base images: ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

async function debianImage({ engine, options }: Recipe, debian: Debian): Promise<string> {
  const tag = createHash("sha256").update(debianRecipe("runtime", debian)).digest("hex").slice(0, 10);
  const repo = "starform-base/debian";
  if (await engine.image(`${repo}:${tag}`)) return `${repo}:${tag}`;
  const tar = join(options.cacheDir, `debian-${tag}.tar`);
  await debianTar(debian, tar);
  await engine.importImage(createReadStream(tar), { repo, tag });
  return `${repo}:${tag}`;
}

async function exportImage(
  engineSocket: string,
  names: readonly string[],
  root: string,
  below: Tree,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  await using client = await openBuildKit(dockerTransport(engineSocket));
  const name = `make ${names[0]}`;
  const environment = Object.entries({ PATH: env.PATH, ...variables }).map(
    ([key, value]) => `${key}=${value}`,
  );
  const config = {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [] },
    config: { Env: environment, Cmd: ["/bin/bash"], WorkingDir: "/" },
  };
  await client.solve({
    source: {
      async run(bridge) {
        const tree = local("base", bridge.session, { name });
        const over = [{ copy: { from: tree, src: "/", dest: "/" } }, { mkdir: { path: "/app" } }];
        const last = below ? files(below, over, name) : tree;
        return { ref: await bridge.solve(define(last)), config };
      },
    },
    services: { sharedKey: `base/${names[0]}`, dirs: { base: { path: root } } },
    exporter: { type: "moby", attrs: { name: names.join(",") } },
  });
}
