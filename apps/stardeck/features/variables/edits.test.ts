import { expect, test } from "vitest";
import { parseDotenv } from "./dotenv.ts";
import { editsFrom, toDotenv, withEdit, type Edits } from "./edits.ts";

const saved = [
  { name: "A", isSecret: false, value: "1" },
  { name: "KEY", isSecret: true, value: null },
];

test("what leads back to the saved state is no edit", () => {
  const changed = withEdit({}, saved, "A", { value: "2", isSecret: false });
  expect(changed).toEqual({ A: { value: "2", isSecret: false } });
  expect(withEdit(changed, saved, "A", { value: "1", isSecret: false })).toEqual({});
  expect(withEdit({ NEW: { value: "x", isSecret: false } }, saved, "NEW", null)).toEqual({});
  expect(withEdit({}, saved, "KEY", { value: "1", isSecret: true })).toEqual({
    KEY: { value: "1", isSecret: true },
  });
});

test("the raw text shows no secret, and a text that is left alone changes nothing", () => {
  const edits: Edits = {
    B: { value: "two\nlines", isSecret: false },
    TOKEN: { value: "hush", isSecret: true },
  };
  const text = toDotenv(saved, edits);
  expect(text).not.toContain("hush");
  expect(editsFrom(saved, edits, parseDotenv(text).entries)).toEqual(edits);
});

test("in the raw text a missing line deletes, a secret stays until it is given a value", () => {
  expect(editsFrom(saved, {}, new Map())).toEqual({ A: null });
  expect(
    editsFrom(
      saved,
      {},
      new Map([
        ["A", "1"],
        ["KEY", "new"],
      ]),
    ),
  ).toEqual({ KEY: { value: "new", isSecret: true } });
});
