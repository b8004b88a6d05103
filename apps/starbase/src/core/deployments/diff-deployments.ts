import type { z } from "zod";
import type { Change } from "@starform/contract/deployments";
import { digestOf } from "@starform/std/canonical-json";
import type { SecretBox } from "../variables/ports.ts";
import type { Deployment } from "./ports.ts";
import { openSnapshot } from "./snapshot.ts";

type Changes = z.infer<typeof Change>[];

/** What a deployment was made of, as flat facts: secrets as digests only. */
export function factsOf(box: SecretBox, deployment: Deployment): Map<string, string> {
  const facts = new Map<string, string>();
  const put = (path: string, value: unknown) =>
    value !== null &&
    value !== undefined &&
    facts.set(path, typeof value === "string" ? value : JSON.stringify(value));
  put("commit", deployment.commit?.sha);
  put("image", deployment.imageDigest ?? deployment.image);
  for (const [name, value] of Object.entries(deployment.config ?? {})) put(`config.${name}`, value);
  for (const group of openSnapshot(box, deployment.variables).groups)
    for (const { name, value, isSecret } of group.variables)
      put(`variables.${name}`, isSecret ? (deployment.variableDigests[name] ?? box.digest(value)) : value);
  return facts;
}

/** What is otherwise in `to` than in `from`, by path. */
export function diffDeployments(box: SecretBox, from: Deployment, to: Deployment): Changes {
  const [before, after] = [factsOf(box, from), factsOf(box, to)];
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path): Changes => {
    const [a, b] = [before.get(path) ?? null, after.get(path) ?? null];
    return a === b
      ? []
      : [{ path, kind: a === null ? "added" : b === null ? "removed" : "changed", before: a, after: b }];
  });
}

/** The receipt as it is shown: digests, never values. */
export function receiptOf({ id, commit, buildId, imageDigest, config, variableDigests }: Deployment) {
  const body = {
    deploymentId: id,
    commit,
    buildId,
    imageDigest,
    config: { ...config },
    variables: { ...variableDigests },
  };
  return { ...body, digest: digestOf(body) };
}
