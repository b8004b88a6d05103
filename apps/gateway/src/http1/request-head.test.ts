import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Malformed } from "./malformed.ts";
import { parseRequestHead } from "./request-head.ts";

const head = (...lines: string[]): string => `${lines.join("\r\n")}\r\n\r\n`;
const statusOf = (text: string): number => {
  try {
    parseRequestHead(text);
    return 200;
  } catch (error) {
    if (error instanceof Malformed) return error.status;
    throw error;
  }
};

describe("a request head is refused when two readers could understand it differently:", () => {
  test.each([
    ["both lengths", 400, ["POST / HTTP/1.1", "Host: a", "Content-Length: 3", "Transfer-Encoding: chunked"]],
    [
      "both lengths, the other order",
      400,
      ["POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 3"],
    ],
    ["two different lengths", 400, ["POST / HTTP/1.1", "Host: a", "Content-Length: 3", "Content-Length: 4"]],
    ["two equal lengths", 400, ["POST / HTTP/1.1", "Host: a", "Content-Length: 3", "Content-Length: 3"]],
    ["a list of lengths", 400, ["POST / HTTP/1.1", "Host: a", "Content-Length: 3, 3"]],
    ["a signed length", 400, ["POST / HTTP/1.1", "Host: a", "Content-Length: +3"]],
    ["a hexadecimal length", 400, ["POST / HTTP/1.1", "Host: a", "Content-Length: 0x3"]],
    ["an empty length", 400, ["POST / HTTP/1.1", "Host: a", "Content-Length: "]],
    [
      "a length beyond exact numbers",
      400,
      ["POST / HTTP/1.1", "Host: a", "Content-Length: 99999999999999999999"],
    ],
    ["two codings", 501, ["POST / HTTP/1.1", "Host: a", "Transfer-Encoding: gzip, chunked"]],
    [
      "a coding twice",
      400,
      ["POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    ],
    ["an unknown coding", 501, ["POST / HTTP/1.1", "Host: a", "Transfer-Encoding: xchunked"]],
    ["a coding in HTTP/1.0", 400, ["POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked"]],
    ["a space before the colon", 400, ["POST / HTTP/1.1", "Host: a", "Transfer-Encoding : chunked"]],
    ["a folded line", 400, ["GET / HTTP/1.1", "Host: a", "X: 1", " folded"]],
    ["a bare CR in a value", 400, ["GET / HTTP/1.1", "Host: a", "X: a\rTransfer-Encoding: chunked"]],
    ["a bare LF in a value", 400, ["GET / HTTP/1.1", "Host: a", "X: a\nTransfer-Encoding: chunked"]],
    ["a NUL in a value", 400, ["GET / HTTP/1.1", "Host: a", "X: a\0b"]],
    ["a line without a colon", 400, ["GET / HTTP/1.1", "Host: a", "nonsense"]],
    ["an empty name", 400, ["GET / HTTP/1.1", "Host: a", ": value"]],
    ["two hosts", 400, ["GET / HTTP/1.1", "Host: a", "Host: b"]],
    ["no host", 400, ["GET / HTTP/1.1", "X: y"]],
    ["a host with a path", 400, ["GET / HTTP/1.1", "Host: a/b"]],
    ["two spaces in the request line", 400, ["GET  / HTTP/1.1", "Host: a"]],
    ["a tab in the request line", 400, ["GET\t/ HTTP/1.1", "Host: a"]],
    ["a path without a slash", 400, ["GET index.html HTTP/1.1", "Host: a"]],
    ["a leading space", 400, [" GET / HTTP/1.1", "Host: a"]],
    ["HTTP/0.9", 400, ["GET /", "Host: a"]],
    ["HTTP/2", 505, ["PRI * HTTP/2.0"]],
    ["a tunnel", 501, ["CONNECT a:443 HTTP/1.1", "Host: a"]],
    [
      "more lines than anyone needs",
      431,
      ["GET / HTTP/1.1", "Host: a", ...Array.from({ length: 300 }, (_, at) => `x-${at}: 1`)],
    ],
  ] as const)("%s", (_, status, lines) => expect(statusOf(head(...lines))).toBe(status));
});

test("an absolute target names the host, whatever the Host header says", () => {
  const parsed = parseRequestHead(head("GET http://web.localhost:4402/a?b HTTP/1.1", "Host: other"));
  expect([parsed.target, parsed.host]).toEqual(["/a?b", "web.localhost:4402"]);
});

test("an upgrade to HTTP/2 over clear text is not seen as one", () => {
  const ask = (protocol: string) =>
    parseRequestHead(head("GET / HTTP/1.1", "Host: a", "Connection: Upgrade", `Upgrade: ${protocol}`))
      .upgrade;
  expect([ask("WebSocket"), ask("h2c"), ask("websocket, h2c")]).toEqual(["websocket", undefined, undefined]);
});

const seed = 20_261_129;

describe(`whatever comes (seed ${seed})`, () => {
  test("the parser answers or refuses with Malformed, and what it accepts has one host and one length", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "GET ",
        "POST",
        " / ",
        "HTTP/1.1",
        "\r\n",
        "\n",
        "\r",
        "Host: a",
        "Content-Length: 5",
        "Content-Length:",
        "Transfer-Encoding: chunked",
        ":",
        " ",
        "\t",
        "\0",
        "é",
      ),
      fc.string({ maxLength: 6 }),
    );
    const text = fc
      .tuple(fc.constantFrom("", "POST / HTTP/1.1\r\nHost: a\r\n"), fc.array(piece, { maxLength: 12 }))
      .map(([start, pieces]) => `${start}${pieces.join("")}\r\n\r\n`);
    fc.assert(
      fc.property(text, (whole) => {
        const upToEmptyLine = whole.slice(0, whole.indexOf("\r\n\r\n") + 4);
        if (statusOf(upToEmptyLine) !== 200) return;
        const lengths = upToEmptyLine.match(/^(content-length|transfer-encoding)[^\r\n]*$/gim) ?? [];
        expect(lengths.length).toBeLessThanOrEqual(1);
        expect(upToEmptyLine).not.toMatch(/[^\r]\n|\r[^\n]/);
      }),
      { seed, numRuns: 3_000 },
    );
  });

  test("a valid head is read as it was written", () => {
    const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
    const value = fc.stringMatching(/^([!-~]([ -~]{0,20}[!-~])?)?$/);
    const fields = fc.array(
      fc.tuple(
        token.map((name) => `x-${name}`),
        value,
      ),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(token, fc.stringMatching(/^\/[!-~]{0,30}$/), fields, (method, target, lines) => {
        fc.pre(method !== "CONNECT");
        const parsed = parseRequestHead(
          head(
            `${method} ${target} HTTP/1.1`,
            "Host: a",
            ...lines.map(([name, text]) => `${name}: \t${text} `),
          ),
        );
        expect([parsed.method, parsed.target]).toEqual([method, target]);
        expect(parsed.fields.names.slice(1)).toEqual(lines.map(([name]) => name.toLowerCase()));
        expect(parsed.fields.values.slice(1)).toEqual(lines.map(([, text]) => text));
      }),
      { seed, numRuns: 1_000 },
    );
  });
});
