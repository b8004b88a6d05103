import { asObject, asObjects, asStrings, type Json, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { kubernetesSchemas } from "../schema/load-schemas.ts";
import type { Schema } from "../schema/schema.ts";
import { specOf } from "./in-spec.ts";
import type { Column, Kind, ScalePaths } from "./kind.ts";

const text: Schema = { type: "string" };

/** The schema of a custom object: its definition's, with the metadata of any object. */
function rootSchema(version: JsonObject): Schema {
  const own = asObject(asObject(version["schema"])["openAPIV3Schema"]) as Schema;
  const meta = kubernetesSchemas()["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] ?? {};
  return {
    ...own,
    properties: { ...own.properties, apiVersion: text, kind: text, metadata: meta },
  };
}

/** `.spec.replicas` as field names. */
const path = (json: Json | undefined): readonly string[] =>
  String(json ?? "")
    .split(".")
    .filter(Boolean);

function scaleOf(version: JsonObject): ScalePaths | undefined {
  const scale = asObject(version["subresources"])["scale"];
  if (scale === undefined) return undefined;
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = asObject(scale);
  return {
    specReplicas: path(specReplicasPath),
    statusReplicas: path(statusReplicasPath),
    ...(labelSelectorPath !== undefined && { selector: path(labelSelectorPath) }),
  };
}

function columnsOf(version: JsonObject): readonly Column[] {
  const own = asObjects(version["additionalPrinterColumns"]).map((column): Column => ({
    name: String(column["name"]),
    type: String(column["type"]),
    path: String(column["jsonPath"]),
    priority: Number(column["priority"] ?? 0),
  }));
  const all = own.length > 0 ? own : [{ name: "Age", type: "date", path: ".metadata.creationTimestamp" }];
  return [{ name: "Name", type: "string", path: ".metadata.name" }, ...all];
}

/** The kinds that a custom resource definition serves, one for each of its versions. */
export function customKinds(definition: Stored): readonly Kind[] {
  const spec = specOf(definition);
  const names = asObject(spec["names"]);
  const [group, plural] = [String(spec["group"]), String(names["plural"])];
  return asObjects(spec["versions"])
    .filter(({ served }) => served === true)
    .map((version) => ({
      group,
      version: String(version["name"]),
      kind: String(names["kind"]),
      plural,
      singular: String(names["singular"]),
      listKind: String(names["listKind"]),
      shortNames: asStrings(names["shortNames"]),
      categories: asStrings(names["categories"]),
      namespaced: spec["scope"] === "Namespaced",
      resource: `${plural}.${group}`,
      schema: rootSchema(version),
      isCustom: true,
      hasStatus: asObject(version["subresources"])["status"] !== undefined,
      hasGeneration: true,
      isGraceful: false,
      allowsBlindUpdate: false,
      nameRule: "subdomain",
      scale: scaleOf(version),
      columns: columnsOf(version),
      selectableFields: asObjects(version["selectableFields"]).map(({ jsonPath }) =>
        path(jsonPath).join("."),
      ),
      strategy: {},
    }));
}
