"use client";
import { createProposed, type NewProposed, type Unset } from "@starform/client/create-proposed";
import { createDeployment } from "@starform/contract/deployments";
import { wordsOf } from "@starform/std/fault";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ProjectPlace } from "../paths.ts";
import { call } from "./client.ts";

export type Created = {
  readonly unset: readonly Unset[];
  /** Services that are there and could not be deployed. */
  readonly undeployed: readonly { readonly service: string; readonly because: string }[];
};

/**
 * Makes services that were proposed and begins their first deployments. `made` are those that a try which failed has made:
 * the next one goes on from there.
 */
export function useCreateProposed(place: ProjectPlace, onDone: (created: Created) => void) {
  const queries = useQueryClient();
  const [made, setMade] = useState<ReadonlySet<string>>(new Set());
  const mutation = useMutation({
    mutationFn: async (services: readonly NewProposed[]): Promise<Created> => {
      const now = new Set(made);
      const unset = await createProposed(call, place, services, now).finally(() => setMade(now));
      const undeployed = await Promise.all(services.map((service) => deployFirst(place, service)));
      return { unset, undeployed: undeployed.flatMap((one) => one ?? []) };
    },
    onSuccess: onDone,
    onSettled: () => queries.invalidateQueries(),
  });
  return { ...mutation, made };
}

const deployFirst = (
  { project, environment }: ProjectPlace,
  { name: service, settings }: NewProposed,
): Promise<Created["undeployed"][number] | undefined> =>
  call(
    createDeployment,
    {
      params: { project, service },
      query: { environment },
      body: { ref: settings.branch ?? "HEAD" },
    },
    { idempotencyKey: crypto.randomUUID() },
  ).then(
    () => undefined,
    (error: unknown) => ({ service, because: wordsOf(error) }),
  );
