import { describe, expect, test } from "vitest";
import type { ImageSignIn } from "../../ports/image-resolver.ts";
import type { RegistryProvider } from "../../ports/registry-provider.ts";
import type { Project } from "../access/ports.ts";
import type { Cluster, ClusterStore } from "../clusters/ports.ts";
import type { SecretBox } from "../variables/ports.ts";
import { pinImage } from "./pin-image.ts";
import type { ProjectCredential } from "./ports.ts";

const digest = `sha256:${"d".repeat(64)}`;
const project = { id: "11111111-1111-4111-8111-111111111111", clusterId: "c" } as Project;
const service = "22222222-2222-4222-8222-222222222222";
const other = "33333333-3333-4333-8333-333333333333";
const box: SecretBox = {
  seal: (text) => ({ keyId: "k", ciphertext: Buffer.from(text) }),
  open: ({ ciphertext }) => ciphertext.toString(),
  digest: (text) => text,
};
const registry = {
  prefix: "r.example/ours",
  credentials: async (projectId: string) => ({
    host: "r.example",
    username: projectId,
    password: "own",
    expiresAt: new Date(),
  }),
} as unknown as RegistryProvider;

/** Pins over a registry that knows every name, and notes who asked it for what. */
function pinning(runtime: Cluster["runtime"] = "docker", kept: Partial<ProjectCredential>[] = []) {
  const asked: [string, ImageSignIn | undefined][] = [];
  const pin = pinImage(
    {
      resolver: {
        digestOf: async (image, signIn) => {
          asked.push([image, signIn]);
          return digest;
        },
      },
      registry,
      box,
    },
    {
      clusters: { byId: async () => ({ runtime }) as Cluster } as unknown as ClusterStore,
      credentials: {
        put: async () => undefined,
        remove: async () => false,
        ofProject: async () => kept as ProjectCredential[],
      },
    },
  );
  return { asked, pin: (image: string) => pin(project, image) };
}

describe("an image", () => {
  test("gets the digest of its tag, and is asked for without a sign-in where the project has none", async () => {
    const { pin, asked } = pinning();
    expect(await pin("nginx:1.29")).toBe(`nginx@${digest}`);
    expect(asked).toEqual([["nginx:1.29", undefined]]);
  });

  test("is asked for with the project's sign-in to its host, whatever that host is called", async () => {
    const kept = { host: "docker.io", username: "ada", password: box.seal("secret") };
    const { pin, asked } = pinning("docker", [kept]);
    await pin("index.docker.io/acme/web:1");
    await pin("ghcr.io/acme/web:1");
    expect(asked.map(([, signIn]) => signIn)).toEqual([{ username: "ada", password: "secret" }, undefined]);
  });

  test("keeps the digest it has, and loses a tag beside it", async () => {
    const { pin, asked } = pinning();
    expect(await pin(`nginx@${digest}`)).toBe(`nginx@${digest}`);
    expect(await pin(`nginx:1@${digest}`)).toBe(`nginx@${digest}`);
    expect(asked).toEqual([]);
  });

  test("of our own registry is its project's only, by tag and by digest", async () => {
    const { pin, asked } = pinning();
    const own = `r.example/ours/${project.id}/${service}`;
    expect(await pin(`${own}:v1`)).toBe(`${own}@${digest}`);
    expect(asked[0]![1]).toMatchObject({ username: project.id, password: "own" });
    for (const foreign of [
      `r.example/ours/${other}/${service}:v1`,
      `r.example/ours/${other}/${service}@${digest}`,
      `r.example/ours/${project.id}:v1`,
      `r.example/ours/library/nginx`,
    ])
      await expect(pin(foreign)).rejects.toMatchObject({ code: "not_found" });
    expect(asked).toHaveLength(1);
  });

  test("of another registry at the same host is not ours", async () => {
    expect(await pinning().pin("r.example/theirs/web:1")).toBe(`r.example/theirs/web@${digest}`);
  });

  test("built here is left as it is", async () => {
    const image = `starform.local/${project.id}/${service}@${digest}`;
    expect(await pinning("process").pin(image)).toBe(image);
  });

  test("is refused where only processes run, before anybody is asked", async () => {
    const { pin, asked } = pinning("process");
    await expect(pin("nginx")).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("--runtime docker"),
    });
    expect(asked).toEqual([]);
  });
});
