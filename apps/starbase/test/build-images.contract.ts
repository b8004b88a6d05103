import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { aBuild, built, endsOf, imageOf, type BuilderUnderTest } from "./a-build.ts";

/** What a build makes, says and measures. */
export function buildsImages(under: () => BuilderUnderTest): void {
  test("makes one place for a workspace, however often it is asked, and leaves what is in it", async () => {
    const spec = await aBuild(under(), ["date +%N > different-each-time.txt"]);
    const { workspaceId } = spec;
    const ensure = () =>
      Promise.all([under().builds, under().another].map((builds) => builds.ensureProject(workspaceId)));
    expect(under().placesOf?.(workspaceId) ?? []).toEqual([]);
    await ensure();
    const places = under().placesOf?.(workspaceId);
    expect(places?.length ?? 1).toBe(1);
    await imageOf(under().builds, spec);
    await ensure();
    expect(under().placesOf?.(workspaceId)).toEqual(places);
    const again = await built(under().builds, { ...spec, buildId: randomUUID() });
    expect(again.status.state).toBe("succeeded");
    expect(endsOf(again.log).map(({ outcome }) => outcome)).toContain("cached");
    expect(endsOf(again.log).map(({ outcome }) => outcome)).not.toContain("done");
  });

  test("turns a source into an image that holds its files and is named by its content", async () => {
    const spec = await aBuild(under(), ["echo made > made.txt"], { files: { "app.txt": "hello" } });
    const { status } = await built(under().builds, spec);
    expect(status).toMatchObject({ state: "succeeded", sizeBytes: expect.any(Number) });
    if (status.state !== "succeeded") return;
    expect(status.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const repository = under().repositoryOf?.(spec) ?? `starform.local/${spec.projectId}/${spec.serviceId}`;
    expect(status.image).toBe(`${repository}@${status.imageDigest}`);
    expect(await under().fileOf(status.image, "app.txt")).toBe("hello");
    expect(await under().fileOf(status.image, "made.txt")).toBe("made\n");
  });

  test("fails with the step, the exit code and the last lines when a command does", async () => {
    const spec = await aBuild(under(), ["echo all is well", "echo out of flour >&2; exit 7", "echo never"]);
    const { status, text } = await built(under().builds, spec);
    expect(status).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/step "build\b[^"]*" failed.* 7\b[\s\S]*out of flour/),
    });
    expect(text).not.toContain("never");
    expect(await under().imagesOf(spec)).toEqual([]);
  });

  test("tells once, after the last step, that the image is put where it is kept, and of a failed build never", async () => {
    const spec = await aBuild(under(), ["echo one > one.txt", "echo two > two.txt"]);
    const { log } = await built(under().builds, spec);
    const keeping = log.flatMap(({ begins, seq }) => (begins ? [{ begins, seq }] : []));
    expect(keeping).toEqual([{ begins: "push", seq: expect.any(Number) }]);
    const steps = log.flatMap(({ ended, seq }) => (ended ? [seq] : []));
    expect(Math.max(...steps)).toBeLessThan(keeping[0]!.seq);
    const failing = await built(under().builds, await aBuild(under(), ["exit 3"]));
    expect(failing.log.filter(({ begins }) => begins)).toEqual([]);
  });

  test("tells how each step ended and what it took, and of a repeat that all of it was there", async () => {
    const spec = await aBuild(under(), ["echo one > one.txt", "echo two > two.txt"]);
    const first = await built(under().builds, spec);
    const ends = endsOf(first.log);
    expect(ends.length).toBeGreaterThan(0);
    expect(ends).toEqual(ends.map(() => ({ outcome: "done", durationMs: expect.any(Number) })));
    const again = endsOf((await built(under().builds, { ...spec, buildId: randomUUID() })).log);
    expect(again.length).toBeGreaterThan(0);
    expect(again.map(({ outcome }) => outcome)).toEqual(again.map(() => "cached"));
    const failing = await aBuild(under(), ["exit 3"]);
    expect(endsOf((await built(under().builds, failing)).log).at(-1)?.outcome).toBe("failed");
  });

  test("measures what it can know, and leaves out what it cannot", async () => {
    const files = { "app.txt": `sent ${randomUUID()}` };
    const { status } = await built(
      under().builds,
      await aBuild(under(), ["head -c 3000000 /dev/urandom > large"], { files }),
    );
    if (status.state !== "succeeded") throw new Error("the build did not succeed");
    const { sentBytes, peakMemoryBytes, layers } = status.facts ?? {};
    const known = [sentBytes, peakMemoryBytes, ...(layers ?? []).map(({ sizeBytes }) => sizeBytes)];
    for (const one of known.filter((value) => value !== undefined)) expect(one).toBeGreaterThan(0);
    expect(Object.keys(status.facts ?? {}).toSorted()).toEqual(under().measures.toSorted());
    expect(layers === undefined || layers.some(({ sizeBytes }) => sizeBytes >= 3_000_000)).toBe(true);
  });

  test("keeps a long log whole and in order", async () => {
    const count = 3_000;
    const spec = await aBuild(under(), [`i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; done`]);
    const { log } = await built(under().builds, spec);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
    const said = log.filter(({ stream }) => stream === "stdout").map(({ text }) => text);
    expect(said).toEqual(Array.from({ length: count }, (_, i) => `line ${i + 1}`));
  });
}
