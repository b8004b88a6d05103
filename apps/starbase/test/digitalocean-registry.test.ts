import { uuid } from "@starform/std/ids";
import { openFakeDigitalOceanRegistry } from "@starform/testkit/digitalocean/open-fake-registry";
import { describe, expect, test } from "vitest";
import { digitalOceanApi } from "../src/adapters/digitalocean/api.ts";
import { digitalOceanRegistry } from "../src/adapters/digitalocean/registry-provider.ts";
import { distributionClient } from "../src/adapters/registry/distribution-client.ts";
import { pushImage } from "./push-image.ts";
import { registryProviderContract, type RegistryWorld } from "./registry-provider.contract.ts";

async function openWorld(): Promise<RegistryWorld> {
  const fake = await openFakeDigitalOceanRegistry();
  const projects = { first: uuid(), second: uuid() };
  return {
    registry: registryOf(fake),
    repository: async (of = "first") => ({ projectId: projects[of], serviceId: uuid() }),
    signIn: (credentials) => distributionClient({ origin: fake.registryUrl, credentials }),
    pathOf: ({ projectId, serviceId }) => `${fake.name}/${projectId}/${serviceId}`,
    pass: fake.pass,
    settlePushes: async () => fake.endWrites(),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

type Fake = Awaited<ReturnType<typeof openFakeDigitalOceanRegistry>>;
const registryOf = ({ apiUrl, registryUrl, name, token }: Fake, patienceMs = 60_000) =>
  digitalOceanRegistry({
    api: digitalOceanApi({ url: apiUrl, token, patienceMs }),
    name,
    registryUrl,
    clock: { now: () => new Date() },
  });

registryProviderContract("DigitalOcean's registry", openWorld);

describe("DigitalOcean's API", () => {
  const repository = { projectId: uuid(), serviceId: uuid() };

  test("is read to the last page", async () => {
    await using fake = await openFakeDigitalOceanRegistry();
    const registry = registryOf(fake);
    const signIn = await registry.credentials(repository.projectId, "push", 600);
    const client = distributionClient({ origin: fake.registryUrl, credentials: signIn });
    const path = `${fake.name}/${repository.projectId}/${repository.serviceId}`;
    for (let n = 0; n < 201; n++) await pushImage(client, path, `build-${n}`);
    expect(await registry.images(repository)).toHaveLength(201);
    const asked = fake.asked.filter((call) => call.endsWith("/digests"));
    expect(asked).toHaveLength(2);
  });

  test("is asked again after trouble that heals", async () => {
    await using fake = await openFakeDigitalOceanRegistry();
    fake.trouble({ status: 503 }, "hang up");
    expect(await registryOf(fake).repositories()).toEqual([]);
  });

  test("is not ordered twice to collect garbage when nobody knows whether it heard the first order", async () => {
    await using fake = await openFakeDigitalOceanRegistry();
    // It looks first whether one is active, then orders it.
    fake.trouble({ status: 404 }, { status: 500 });
    await expect(registryOf(fake).collectGarbage()).rejects.toMatchObject({ code: "unavailable" });
    expect(fake.asked.map((call) => call.split(" ")[0])).toEqual(["GET", "POST"]);
  });

  test("has its rate limit kept: waited for when it is short, given back when it is long", async () => {
    await using fake = await openFakeDigitalOceanRegistry();
    fake.trouble({ status: 429, headers: { "retry-after": "1" } });
    const before = performance.now();
    expect(await registryOf(fake).repositories()).toEqual([]);
    expect(performance.now() - before).toBeGreaterThan(950);
    const inAnHour = String(Math.floor(Date.now() / 1_000) + 3_600);
    const spent = { "ratelimit-remaining": "0", "ratelimit-reset": inAnHour };
    fake.trouble({ status: 429, headers: spent });
    const impatient = registryOf(fake, 5_000);
    await expect(impatient.repositories()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("rate limit"),
    });
    const calls = fake.asked.length;
    await expect(impatient.repositories()).rejects.toMatchObject({ code: "unavailable" });
    expect(fake.asked).toHaveLength(calls);
  });

  test("tells an operator whose token it refuses what to do, without the token", async () => {
    await using fake = await openFakeDigitalOceanRegistry();
    const token = `dop_v1_${"0".repeat(64)}`;
    const error = (await registryOf({ ...fake, token })
      .repositories()
      .catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toContain("STARBASE_DIGITALOCEAN_TOKEN");
    expect(JSON.stringify(error) + error.stack).not.toContain(token);
  });

  test("is asked nothing that it does not describe", async () => {
    const fake = await openFakeDigitalOceanRegistry();
    const api = digitalOceanApi({ url: fake.apiUrl, token: fake.token });
    await expect(
      api.call("GET", `/v2/registries/${fake.name}`, { query: { unknown: 1 } }),
    ).rejects.toMatchObject({ code: "internal" });
    await expect(fake[Symbol.asyncDispose]()).rejects.toThrow("knows no query parameter unknown");
  });
});
