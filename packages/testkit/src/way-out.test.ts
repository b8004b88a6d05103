import { expect, test } from "vitest";
import { hasWayOut } from "./way-out.ts";

test.each([
  ["the disk is full: free some space, then try again", true],
  ["nothing listens on port 1, but PORT is 2: listen on the port in PORT", true],
  ["healtCheck is not a key here; did you mean healthCheck?", true],
  ["it ran out of memory. Make it use less", true],
  ['the step "build" failed: `make` ended with exit code 2\nmake: no rule', true],
  ["killed: used more than 512 MiB, the limit of tier mininova", false],
  ["exited with code 1 after 0.4 s; its last line: Error: no database", false],
  ["the source is empty\n", false],
  ["", false],
])("%j has a way out: %s", (told, has) => expect(hasWayOut(told)).toBe(has));
