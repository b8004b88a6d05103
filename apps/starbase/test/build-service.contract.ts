import { afterAll, beforeAll, describe } from "vitest";
import type { BuilderUnderTest } from "./a-build.ts";
import { buildsImages } from "./build-images.contract.ts";
import { buildsLive } from "./build-lives.contract.ts";
import { buildsApart } from "./builds-apart.contract.ts";

/** The promises of the BuildService port; every adapter runs them. */
export function buildServiceContract(name: string, open: () => Promise<BuilderUnderTest>): void {
  describe(`${name} build service`, { timeout: 120_000 }, () => {
    let under: BuilderUnderTest;
    beforeAll(async () => {
      under = await open();
    }, 180_000);
    afterAll(() => under?.[Symbol.asyncDispose]());
    buildsImages(() => under);
    buildsLive(() => under);
    buildsApart(() => under);
  });
}
