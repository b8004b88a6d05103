import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ServiceKey } from "../../core/service-key.ts";
import { cronBooks } from "./cron-book.ts";

const key = "service/production" as ServiceKey;
const at = (time: string) => new Date(`2026-11-29T${time}Z`);
let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "cron-book-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const open = () => cronBooks(dir, () => undefined).open(key);

test("a service seen for the first time begins now, and goes on from there after a restart", () => {
  expect(open().seenUntil(at("08:00:00"))).toEqual(at("08:00:00"));
  expect(open().seenUntil(at("09:30:00"))).toEqual(at("08:00:00"));
});

test("a clock set back by a little makes no run come twice", () => {
  open().setSeenUntil(at("08:02:00"));
  expect(open().seenUntil(at("08:00:00"))).toEqual(at("08:02:00"));
});

test("a clock that was far ahead and is put right keeps no run back, for good", () => {
  open().setSeenUntil(at("12:00:00"));
  expect(open().seenUntil(at("08:00:00"))).toEqual(at("08:00:00"));
  expect(open().seenUntil(at("08:30:00"))).toEqual(at("08:00:00"));
});
