import { expect, test } from "vitest";
import { lastWords } from "./last-words.ts";

type Said = readonly [stream: "stdout" | "stderr", line: string];

test.each<{ said: Said[]; told: string | undefined; when: string }>([
  { when: "nothing was said", said: [["stdout", "  "]], told: undefined },
  {
    when: "Node throws",
    said: [
      ["stderr", "    throw new Error('no database');"],
      ["stderr", "Error: no database"],
      ["stderr", "    at Object.<anonymous> (/app/server.js:3:9)"],
      ["stderr", "Node.js v24.21.0"],
    ],
    told: "Error: no database",
  },
  {
    when: "npm warns beside the app's own words",
    said: [
      ["stdout", "the configuration is missing"],
      ["stderr", "npm warn config production Use `--omit=dev` instead."],
    ],
    told: "the configuration is missing",
  },
  {
    when: "a shell complains",
    said: [
      ["stdout", "starting"],
      ["stderr", "start.sh: line 3: serve: not found"],
      ["stdout", "bye"],
    ],
    told: "start.sh: line 3: serve: not found",
  },
  {
    when: "only npm spoke",
    said: [["stderr", "npm error Missing script: start"]],
    told: "npm error Missing script: start",
  },
])("quotes the line that tells most when $when", ({ said, told }) => {
  const words = lastWords();
  for (const [stream, line] of said) words.add(stream, line);
  expect(words.line()).toBe(told);
});

test("tells the end of all that was said, and of none of it too much", () => {
  const words = lastWords();
  for (let n = 0; n < 15; n += 1) words.add(n % 2 ? "stderr" : "stdout", `line ${n}  `);
  words.add("stderr", "x".repeat(5_000));
  expect(words.lines()).toEqual([...Array.from({ length: 9 }, (_, at) => `line ${at + 6}`), "x".repeat(300)]);
});

test("leaves out what npm announces before an app's first word", () => {
  const words = lastWords();
  for (const line of ["> app@1.0.0 start", "> node server.mjs"]) words.add("stdout", line);
  expect(words.lines()).toEqual([]);
  for (const line of ["up", "> not npm's"]) words.add("stdout", line);
  expect(words.lines()).toEqual(["up", "> not npm's"]);
});

test("forgets an error that was followed by much else", () => {
  const words = lastWords();
  words.add("stderr", "Error: a visitor went away");
  for (let n = 0; n < 40; n += 1) words.add("stdout", `served ${n}`);
  expect(words.line()).toBe("served 39");
});
