import { expect, test } from "vitest";
import { Malformed } from "./malformed.ts";
import { parseResponseHead } from "./response-head.ts";

const parse = (lines: string[], isHead = false) => parseResponseHead(`${lines.join("\r\n")}\r\n\r\n`, isHead);

test.each([
  ["HTTP/1.1 200 OK", 200, "OK"],
  ["HTTP/1.1 204 ", 204, ""],
  ["HTTP/1.1 204", 204, ""],
  ["HTTP/1.0 404 Not Found At All", 404, "Not Found At All"],
  ["HTTP/1.1 299 h\xe9", 299, "h\xe9"],
])("reads the status line %j", (line, status, reason) =>
  expect(parse([line])).toMatchObject({ status, reason }),
);

test.each([
  "HTTP/1.1 20 OK",
  "HTTP/1.1 2000 OK",
  "HTTP/1.1  200 OK",
  "HTTP/1.1 2.5 OK",
  "HTTP/1.1 1e2",
  "HTTP/1.1 200OK",
  "HTTP/2 200",
  "HTTP/1.2 200 OK",
  "ICY 200 OK",
  "HTTP/1.1 099 Low",
  "http/1.1 200 OK",
  "",
])("refuses the status line %j", (line) => expect(() => parse([line])).toThrow(Malformed));

test("knows where each answer's body ends", () => {
  const framing = (lines: string[], isHead = false) => parse(["HTTP/1.1 200 OK", ...lines], isHead).framing;
  expect(framing(["Content-Length: 5"])).toEqual({ kind: "length", length: 5 });
  expect(framing(["Content-Length: 5", "Content-Length: 5"])).toEqual({ kind: "length", length: 5 });
  expect(framing(["Content-Length: 0"])).toEqual({ kind: "none" });
  expect(framing(["Transfer-Encoding: Chunked"])).toEqual({ kind: "chunked" });
  expect(framing([])).toEqual({ kind: "close" });
  expect(framing(["Content-Length: 5"], true)).toEqual({ kind: "none" });
  expect(parse(["HTTP/1.1 304 Not Modified", "Content-Length: 5"]).framing).toEqual({ kind: "none" });
  for (const lines of [
    ["Content-Length: 5", "Content-Length: 6"],
    ["Content-Length: five"],
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: gzip"],
  ])
    expect(() => framing(lines)).toThrow(Malformed);
});

test("knows whether the connection may be used again", () => {
  const keepAlive = (version: string, ...lines: string[]) =>
    parse([`HTTP/${version} 200 OK`, ...lines]).keepAlive;
  expect(keepAlive("1.1", "Content-Length: 1")).toBe(true);
  expect(keepAlive("1.1", "Content-Length: 1", "Connection: Close")).toBe(false);
  expect(keepAlive("1.0", "Content-Length: 1")).toBe(false);
  expect(keepAlive("1.0", "Content-Length: 1", "Connection: keep-alive")).toBe(true);
  expect(keepAlive("1.1")).toBe(false);
});
