import * as fc from "fast-check";
import { expect, test } from "vitest";
import { dotenvLine, parseDotenv } from "./dotenv.ts";

test("reads what .env files hold", () => {
  const { entries, problems } = parseDotenv(
    [
      "# a comment",
      "",
      "A=1",
      "export B = two words  # why",
      'C="a\\nb \\"q\\""',
      "D='as $it \\n is'",
      'E="first',
      'second"',
      "F=",
      "URL=postgres://u:p@h/d?x=1#frag",
      "R=${{api.PORT}}",
    ].join("\n"),
  );
  expect(problems).toEqual([]);
  expect(Object.fromEntries(entries)).toEqual({
    A: "1",
    B: "two words",
    C: 'a\nb "q"',
    D: "as $it \\n is",
    E: "first\nsecond",
    F: "",
    URL: "postgres://u:p@h/d?x=1#frag",
    R: "${{api.PORT}}",
  });
});

test("says where a line is wrong, and keeps the others", () => {
  const { entries, problems } = parseDotenv('A=1\nnot a line\n9X=2\nB="open');
  expect([...entries.keys()]).toEqual(["A"]);
  expect(problems.map((problem) => problem.split(":")[0])).toEqual(["line 2", "line 3", "line 4"]);
});

test("every value survives the way into the editor and back", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }).map((s) => s.replaceAll("\0", "")),
      (value) => {
        const { entries, problems } = parseDotenv(`X=0\n${dotenvLine("NAME", value)}\nY=1`);
        expect(problems).toEqual([]);
        expect(entries.get("NAME")).toBe(value);
        expect(entries.size).toBe(3);
      },
    ),
  );
});
