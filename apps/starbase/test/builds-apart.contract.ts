import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { BuildSpec } from "../src/ports/build-service.ts";
import { aBuild, built, imageOf, tagOf, type BuilderUnderTest } from "./a-build.ts";

/** What a build sees of others and others of it. */
export function buildsApart(under: () => BuilderUnderTest): void {
  async function byDockerfile(dockerfile: string, more: Pick<Partial<BuildSpec>, "variables"> = {}) {
    const files = { Dockerfile: dockerfile, "app.txt": randomUUID() };
    const spec = await aBuild(under(), [], { files, ...more });
    const { info } = spec.outcome as Extract<BuildSpec["outcome"], { ok: true }>;
    const outcome = { ok: true, kind: "dockerfile", path: "Dockerfile", info } as const;
    return built(under().builds, { ...spec, outcome });
  }

  test("gives each of several builds at once its own source, though their plans are alike", async () => {
    const specs = await Promise.all(
      ["one", "two", "three"].map((word) =>
        aBuild(under(), ["cat app.txt > made.txt"], { files: { "app.txt": word } }),
      ),
    );
    const images = await Promise.all(specs.map((spec) => imageOf(under().builds, spec)));
    const made = await Promise.all(images.map((image) => under().fileOf(image, "made.txt")));
    expect(made).toEqual(["one", "two", "three"]);
  });

  test("does not build on another project's image, and does on its own", async (context) => {
    if (!under().buildsOnImages) return context.skip("this builder knows no images but its own base");
    const other = await aBuild(under(), ["echo theirs > theirs.txt"]);
    const theirs = await tagOf(under(), other);
    const refused = {
      state: "failed",
      reason: expect.stringContaining(`the build is to start from ${theirs}, and this project has no such`),
    };
    const ways: [dockerfile: string, ways?: Pick<Partial<BuildSpec>, "variables">][] = [
      [`FROM ${theirs}\n`],
      [`FROM base\nCOPY --from=${theirs} /app /app\n`],
      ["ARG BASE=base\nFROM $BASE\n", { variables: { BASE: theirs } }],
    ];
    for (const way of ways) expect((await byDockerfile(...way)).status).toMatchObject(refused);
    const planned = await aBuild(under(), ["true"]);
    const { plan } = planned.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>;
    plan.steps[0]!.inputs[0] = { image: theirs };
    expect((await built(under().builds, planned)).status).toMatchObject(refused);

    const { projectId, serviceId } = other;
    const own = await aBuild(under(), ["cat theirs.txt > mine.txt"], { projectId, serviceId });
    const mine = (own.outcome as Extract<BuildSpec["outcome"], { kind: "plan" }>).plan;
    mine.steps[0]!.inputs[0] = { image: theirs };
    expect(await under().fileOf(await imageOf(under().builds, own), "mine.txt")).toBe("theirs\n");
  });

  test("does not build on another project's image that the ONBUILD of a public base names", async (context) => {
    const { publicImage } = under();
    if (!publicImage) return context.skip("this builder fetches no images, or there is no registry here");
    const theirs = await tagOf(under(), await aBuild(under(), ["echo theirs > theirs.txt"]));
    const base = await publicImage(
      `FROM scratch\nCOPY Dockerfile /\nONBUILD COPY --from=${theirs} /app /stolen\n`,
    );
    // Before BuildKit 0.17 the name is a stage's, or an image's without files.
    const refused =
      /this project has no such image|repositories of its own project only|cannot copy from stage|no such file/;
    expect((await byDockerfile(`FROM ${base}\nCOPY app.txt /\n`)).status).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(refused),
    });
  });

  test("shows secrets to the commands and to nobody else", async () => {
    const secret = `hush-${randomUUID()}`;
    const spec = await aBuild(
      under(),
      [
        'test -n "$TOKEN" && echo the token is $TOKEN.',
        "echo ${#TOKEN} > length.txt",
        "echo $TOKEN >&2; exit $FAIL",
      ],
      {
        variables: { TOKEN: secret, FAIL: "0" },
        secretNames: ["TOKEN"],
      },
    );
    const good = await built(under().builds, spec);
    expect(good.status).toMatchObject({ state: "succeeded" });
    expect(good.text).toContain("the token is [TOKEN].");
    expect(good.text).not.toContain(secret);
    if (good.status.state !== "succeeded") return;
    expect(await under().fileOf(good.status.image, "length.txt")).toBe(`${secret.length}\n`);
    expect(await under().imageHolds(good.status.image, secret)).toBe(false);

    const bad = await built(under().builds, {
      ...spec,
      buildId: randomUUID(),
      variables: { TOKEN: secret, FAIL: "3" },
    });
    expect(bad.status).toMatchObject({ state: "failed" });
    expect(JSON.stringify(bad)).not.toContain(secret);
  });
}
