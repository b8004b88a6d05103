import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { JsonObject } from "../model/json.ts";
import { linkSchemas } from "./link-schemas.ts";
import type { Schema } from "./schema.ts";

const read = (name: string): unknown =>
  JSON.parse(gunzipSync(readFileSync(new URL(`../schemas/${name}.json.gz`, import.meta.url))).toString());

let linked: Readonly<Record<string, Schema>> | undefined;

/** The definitions of a kube-apiserver v1.36.2, and the few kinds of which it publishes none here (`extra-kinds.ts`). */
export const kubernetesSchemas = (): Readonly<Record<string, Schema>> =>
  (linked ??= linkSchemas((read("kubernetes") as { schemas: Record<string, unknown> }).schemas));

/** The same, with references as published: what `/openapi/v3` answers. */
export const publishedSchemas = (): JsonObject => (read("kubernetes") as { schemas: JsonObject }).schemas;

/** Definitions of custom resources, as `kubectl apply` would send them. */
export const bundledDefinitions = (name: "gateway-api" | "envoy-gateway"): readonly JsonObject[] =>
  read(name) as readonly JsonObject[];
