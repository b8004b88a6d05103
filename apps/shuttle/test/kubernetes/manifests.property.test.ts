import { canonicalJson } from "@starform/std/canonical-json";
import type { DesiredService } from "@starform/contract/clusters";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deployment } from "../../src/adapters/kubernetes/manifests/deployment.ts";
import { runningTemplateOf } from "../../src/adapters/kubernetes/manifests/running-template.ts";
import { anyService } from "./any-service.ts";
import { problemsOf } from "./manifest-schemas.ts";
import { allSteps, plain, production } from "./samples.ts";

const seed = 20_261_129;
const run = { seed, numRuns: 60 };

/** The same content, written in another order. */
const reordered = (record: Record<string, string>) => Object.fromEntries(Object.entries(record).toReversed());

describe(`whatever Starbase says (seed ${seed})`, () => {
  test("the same input gives the same bytes, and is left as it was", () => {
    fc.assert(
      fc.property(anyService, (service) => {
        const before = JSON.stringify(service);
        const made = JSON.stringify(allSteps(service, production));
        expect(JSON.stringify(allSteps(structuredClone(service), production))).toBe(made);
        expect(JSON.stringify(service)).toBe(before);
        const turned = { ...service, env: reordered(service.env) };
        expect(canonicalJson(allSteps(turned, production))).toBe(canonicalJson(JSON.parse(made)));
      }),
      run,
    );
  });

  test("every manifest is what the API server takes", () => {
    fc.assert(
      fc.property(anyService, fc.constantFrom(plain, production), (service, context) => {
        expect(allSteps(service, context).flatMap(({ manifest }) => problemsOf(manifest))).toEqual([]);
      }),
      run,
    );
  });

  test("the shell gets the start command as it was written, for all that the kubelet reads in it", () => {
    /** What Kubernetes documents of `command`: `$(NAME)` of a variable that there is, and `$$` for `$`. */
    const readByKubelet = (text: string) =>
      text.replaceAll(/\$(?:\$|\((\w+)\))/g, (read, name?: string) =>
        name === undefined ? "$" : name === "PORT" ? "8080" : read,
      );
    const parts = fc.array(fc.constantFrom("$", "(", ")", "PORT", "date", " ", "{PORT}"));
    fc.assert(
      fc.property(anyService, parts, (service, words) => {
        const command = words.join("");
        const { template } = deployment({ ...service, command }, plain)["spec"] as {
          template: { spec: { containers: [{ command: string[] }] } };
        };
        const [{ command: made }] = template.spec.containers;
        expect(made.map(readByKubelet)).toEqual(["/bin/sh", "-c", command]);
      }),
      run,
    );
  });

  test("no two manifests are of one object, and each comes after all it depends on", () => {
    fc.assert(
      fc.property(anyService, (service) => {
        const seen = new Set<string>();
        for (const { ref, after } of allSteps(service, production)) {
          expect(seen).not.toContain(ref);
          for (const { on } of after) expect(seen).toContain(on);
          seen.add(ref);
        }
      }),
      run,
    );
  });

  test("another way to end pods, as an older or a newer Shuttle has it, starts no pod anew", () => {
    type Template = { spec: { shareProcessNamespace?: boolean; containers: [Record<string, unknown>] } };
    fc.assert(
      fc.property(anyService, (service) => {
        const made = deployment(service, plain)["spec"] as { template: Template };
        const template = structuredClone(made.template);
        delete template.spec.shareProcessNamespace;
        template.spec.containers[0]["lifecycle"] = { preStop: { sleep: { seconds: 7 } } };
        const kept = deployment(service, plain, runningTemplateOf({ spec: { template } }))["spec"];
        expect((kept as { template: Template }).template).toEqual(template);
      }),
      run,
    );
  });

  test("what no instance sees starts no pod anew, and a restart does", () => {
    const templateOf = (service: DesiredService, running?: ReturnType<typeof runningTemplateOf>) =>
      (deployment(service, plain, running)["spec"] as { template: object }).template;
    fc.assert(
      fc.property(anyService, anyService, (service, other) => {
        const live = { spec: { template: templateOf(service) } };
        const unseen = {
          ...service,
          service_name: other.service_name,
          drain_seconds: other.drain_seconds,
          hostname: other.hostname,
          hostnames: other.hostnames,
          replicas: other.replicas,
          autoscaling: other.autoscaling,
          is_ephemeral: other.is_ephemeral,
          provenance: { ...service.provenance, git_repo: "moved", deployed_at: "later", deployed_by: "eve" },
        };
        expect(templateOf(unseen, runningTemplateOf(live))).toEqual(live.spec.template);
        const restarted = { ...unseen, restart_nonce: `${service.restart_nonce}!` };
        expect(templateOf(restarted, runningTemplateOf(live))).toEqual(templateOf(restarted));
        expect(templateOf(restarted)).not.toEqual(live.spec.template);
      }),
      run,
    );
  });
});
