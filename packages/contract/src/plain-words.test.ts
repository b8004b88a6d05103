import { expect, test } from "vitest";
import { z } from "zod";
import "./plain-words.ts";

const said = (schema: z.ZodType, value: unknown): string[] =>
  (schema.safeParse(value).error?.issues ?? []).map(({ message }) => message);

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, "is missing"],
  [z.string(), 1, "must be a text, and is a number"],
  [z.number(), "two", "must be a number, and is a text"],
  [z.coerce.number(), "abc", "must be a number"],
  [z.number().int(), 1.5, "must be a whole number, and is a number"],
  [z.object({}), [], "must be an object, and is a list"],
  [z.boolean(), null, "must be true or false, and is null"],
  [z.string().min(1), "", "must not be empty"],
  [z.string().min(2), "a", "must have at least 2 characters"],
  [z.string().max(1_000), "a".repeat(1_001), "must have at most 1,000 characters"],
  [z.array(z.string()).max(1), ["a", "b"], "must hold at most 1 item"],
  [z.array(z.string()).min(1), [], "must not be empty"],
  [z.number().min(1), 0, "must be at least 1"],
  [z.number().max(200), 1_000, "must be at most 200"],
  [z.enum(["a", "b", "c"]), "d", "must be a, b or c"],
  [z.strictObject({}), { a: 1, b: 2 }, "may not hold a, b"],
  [z.uuid(), "x", "must be an id (a UUID)"],
  [z.email(), "x", "must be an e-mail address"],
])("a value that does not fit is told in plain words: %#", (schema, value, words) => {
  expect(said(schema, value)).toEqual([words]);
});

test("words that a schema brings itself stand", () => {
  expect(said(z.string().max(1, "too long for us"), "ab")).toEqual(["too long for us"]);
});
