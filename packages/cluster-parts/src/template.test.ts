import { describe, expect, test } from "vitest";
import { fill, fillText, type TemplateWords } from "./template.ts";

const values: Record<string, string | number | boolean> = { region: "nyc3", port: 6000, token: "abc" };
const words: TemplateWords = {
  value: (name) => values[name],
  file: (name) => `content of ${name}`,
  image: (name) => `example.com/${name}:1.0.0`,
  slug: () => "v1-0-0",
};

describe("a template", () => {
  test("is filled wherever a text is, and nowhere else", () => {
    expect(fill({ a: ["x-{{region}}", { b: "{{region}}/{{port}}" }], n: 3, no: null }, words)).toEqual({
      a: ["x-nyc3", { b: "nyc3/6000" }],
      n: 3,
      no: null,
    });
  });

  test("keeps a value's type where it stands alone", () => {
    expect(fill({ port: "{{port}}" }, words)).toEqual({ port: 6000 });
  });

  test("leaves out the list's item, or the whole manifest, whose optional value is not there", () => {
    expect(fill({ env: [{ name: "A", value: "{{none?}}" }, { name: "B" }] }, words)).toEqual({
      env: [{ name: "B" }],
    });
    expect(fill({ metadata: { name: "{{none?}}" } }, words)).toBeUndefined();
    expect(fill({ env: [{ value: "{{region?}}" }] }, words)).toEqual({ env: [{ value: "nyc3" }] });
  });

  test("carries files, images, encodings and checksums", () => {
    expect(fillText("{{file a.yaml}} {{image shuttle}} {{base64 token}} {{slug shuttle}}", words)).toBe(
      "content of a.yaml example.com/shuttle:1.0.0 YWJj v1-0-0",
    );
    const first = fillText("{{sha256 a.yaml token}}", words);
    expect(first).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(fillText("{{sha256 b.yaml token}}", words)).not.toBe(first);
  });

  test("that asks for what nothing gives is an error, and never an empty text", () => {
    expect(() => fill({ a: "{{nothing}}" }, words)).toThrow(/asks for "nothing"/);
    expect(() => fillText("{{base64 nothing}}", words)).toThrow(/asks for "nothing"/);
    expect(() => fillText("{{unheard of}}", words)).toThrow(/asks for "unheard"/);
  });

  test("touches no braces of another language", () => {
    const alert = '{{ $labels.cluster_id }} ${ENV} {name=~"x"}';
    expect(fillText(alert, words)).toBe(alert);
  });
});
