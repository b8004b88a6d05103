import { expect, test } from "vitest";
import { readLooseJson } from "./loose-json.ts";

test.each([
  ['{"a": 1}', { a: 1 }],
  ['\ufeff{"a": 1}', { a: 1 }],
  ['{ // note\n "a": [1, 2,], /* more */ "b": {"c": 3,}, }', { a: [1, 2], b: { c: 3 } }],
  ['{"url": "http://a/*b*/", "quote": "\\"//\\""}', { url: "http://a/*b*/", quote: '"//"' }],
  ['{"comma": ",}", /* , } */}', { comma: ",}" }],
])("reads %s", (text, value) => {
  expect(readLooseJson(text)).toEqual(value);
});

test.each(["", "{", "// only a note", '{"a": /* unclosed', "{'a': 1}"])("refuses %j", (text) => {
  expect(() => readLooseJson(text)).toThrow(SyntaxError);
});
