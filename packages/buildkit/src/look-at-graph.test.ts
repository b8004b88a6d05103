import { expect, test, vi } from "vitest";
import { define, exec, files, image } from "./llb.ts";
import { lookAtGraph } from "./look-at-graph.ts";

const step = (caches: string[] = []) => {
  const base = files(
    image("node:24"),
    [{ copy: { from: image("r.test/a/b"), src: "/", dest: "/" } }],
    "copy",
  );
  return exec({
    base,
    args: ["ls"],
    env: {},
    cwd: "/app",
    name: "build: ls",
    caches: caches.map((dir) => ({ id: dir, dir, sharing: "shared" })),
  });
};

test("tells every image of a graph by its full name, and lets what is thrown at it through", () => {
  const onImages = vi.fn<(images: readonly string[]) => void>();
  lookAtGraph({ onImages }, define(step()));
  expect(onImages.mock.calls).toEqual([[["docker.io/library/node:24", "r.test/a/b:latest"]]]);
  const refusal = new Error("not these");
  onImages.mockThrow(refusal);
  expect(() => lookAtGraph({ onImages }, define(step()))).toThrow(refusal);
});

test.each(["/etc/hosts", "/etc/../etc//hosts/"])(
  "refuses a step that would not see the build's hosts: %s",
  (dir) => {
    const hosts = { "of-a-build.example": "fd5f::1" };
    const refused = `the step "build: ls" mounts something at /etc/hosts`;
    expect(() => lookAtGraph({ hosts }, define(step([dir])))).toThrow(refused);
    expect(() => lookAtGraph({ hosts }, define(step(["/etc"])))).not.toThrow();
    expect(() => lookAtGraph({}, define(step([dir])))).not.toThrow();
  },
);
