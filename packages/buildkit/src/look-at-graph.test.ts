import { expect, test, vi } from "vitest";
import { define, files, image, type Definition } from "./llb.ts";
import { lookAtGraph } from "./look-at-graph.ts";

const graph = (): Definition =>
  define(files(image("node:24"), [{ copy: { from: image("r.test/a/b"), src: "/", dest: "/" } }], "copy"));

test("tells every image of a graph by its full name, and lets what is thrown at it through", () => {
  const onImages = vi.fn<(images: readonly string[]) => void>();
  lookAtGraph({ onImages }, graph());
  expect(onImages.mock.calls).toEqual([[["docker.io/library/node:24", "r.test/a/b:latest"]]]);
  const refusal = new Error("not these");
  onImages.mockThrow(refusal);
  expect(() => lookAtGraph({ onImages }, graph())).toThrow(refusal);
});
