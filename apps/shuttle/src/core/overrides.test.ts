import { expect, test } from "vitest";
import { aDocument, aService, redeployed } from "../../test/desired.ts";
import { overlaid } from "./overrides.ts";
import { keyOf } from "./service-key.ts";

const signIn = (registry: string, password: string) => ({ registry, username: "ada", password });

test("a service that is held signs in to a registry as it is now, and to another as it was", () => {
  const now = redeployed(aService({ image: "b" }), { image_credentials: signIn("r.example", "new") });
  const passwordFor = (registry: string) => {
    const earlier = redeployed(now, { image: "a", image_credentials: signIn(registry, "old") });
    const override = {
      key: keyOf(now),
      from_version: 1,
      instead_of: now.provenance.deployment_id,
      service: earlier,
      by: "ada",
      at: "2026-11-29T12:00:00.000Z",
    };
    const { state } = overlaid(aDocument("c", 2, [now]), { overrides: [override], spoiled: [] });
    expect(state.services[0]?.image).toBe("a");
    return state.services[0]?.image_credentials?.password;
  };
  expect(passwordFor("r.example")).toBe("new");
  expect(passwordFor("elsewhere.example")).toBe("old");
});
