import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { endings } from "./container-events.ts";

const event = (Action: string, instance: string, signal?: string): string =>
  `${JSON.stringify({ Action, Actor: { Attributes: { "starform.io/instance": instance, ...(signal && { signal }) } } })}\n`;

test("an end that was asked for through the engine is told apart from one by the program's own doing", async () => {
  const text = [
    event("kill", "stopped", "15"),
    event("die", "crashed"),
    event("kill", "told", "1"),
    event("die", "stopped"),
    event("die", "told"),
    event("die", "stopped"),
    `${JSON.stringify({ Action: "die", Actor: { Attributes: {} } })}\n`,
  ].join("");
  const half = Math.floor(text.length / 2);
  const chunks = [text.slice(0, half), text.slice(half)].map((part) => Buffer.from(part));
  expect(await Array.fromAsync(endings(Readable.from(chunks)))).toEqual([
    { id: "crashed", isKilled: false },
    { id: "stopped", isKilled: true },
    { id: "told", isKilled: false },
    { id: "stopped", isKilled: false },
  ]);
});
