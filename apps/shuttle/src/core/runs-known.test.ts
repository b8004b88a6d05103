import { runsKnownMax } from "@starform/contract/clusters";
import { expect, test } from "vitest";
import { runsKnown } from "./runs-known.ts";

test("runs are named in one order, none of them too, and not at all where they are not all known or too many", () => {
  expect(runsKnown(["b", "a"])).toEqual({ runs_known: ["a", "b"] });
  expect(runsKnown([])).toEqual({ runs_known: [] });
  expect(runsKnown(undefined)).toEqual({});
  expect(runsKnown(Array.from({ length: runsKnownMax + 1 }, String))).toEqual({});
});
