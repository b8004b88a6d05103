import { expect, test } from "vitest";
import { lostFields, owns, type FieldSet } from "./owned-fields.ts";

const manifest = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "a", namespace: "n", labels: { "starform.io/tier": "nova" } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { a: "b" } },
    template: {
      spec: {
        containers: [
          {
            name: "app",
            image: "i",
            ports: [{ containerPort: 8080 }],
            env: [{ name: "PORT", value: "8080" }],
          },
        ],
      },
    },
    volumes: [{ name: "tmp", emptyDir: {} }],
  },
};
const container = {
  ".": {},
  "f:name": {},
  "f:image": {},
  "f:ports": { 'k:{"containerPort":8080,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
  "f:env": { 'k:{"name":"PORT"}': { ".": {}, "f:name": {}, "f:value": {} } },
};
const owned = (spec: FieldSet = {}, own: FieldSet = container) => ({
  "f:metadata": { "f:labels": { "f:starform.io/tier": {} } },
  "f:spec": {
    "f:replicas": {},
    "f:selector": {},
    "f:template": { "f:spec": { "f:containers": { 'k:{"name":"app"}': own } } },
    "f:volumes": { 'k:{"name":"tmp"}': { ".": {}, "f:name": {} } },
    ...spec,
  },
});

test("nothing is lost while every field is owned, whatever the server makes of defaults and empty values", () => {
  expect(lostFields(manifest, owned())).toEqual([]);
});

test("a field that somebody else took is named by its path, in maps and in lists", () => {
  const { "f:replicas": _, ...spec }: FieldSet = owned()["f:spec"];
  expect(lostFields(manifest, { ...owned(), "f:spec": spec })).toEqual([["spec", "replicas"]]);
  const { "f:image": _image, ...rest } = container;
  expect(lostFields(manifest, owned({}, rest))).toEqual([
    ["spec", "template", "spec", "containers", "0", "image"],
  ]);
  expect(lostFields(manifest, owned({}, { ...container, "f:env": { 'k:{"name":"OTHER"}': {} } }))).toEqual([
    ["spec", "template", "spec", "containers", "0", "env", "0"],
  ]);
  expect(lostFields(manifest, {})).toEqual([["metadata"], ["spec"]]);
});

test("a set owns what is in it and what is below its leaves", () => {
  const other = {
    "f:spec": {
      "f:selector": {},
      "f:template": { "f:spec": { "f:containers": { 'k:{"name":"app"}': { "f:image": {} } } } },
    },
  };
  expect(owns(other, ["spec", "template", "spec", "containers", "0", "image"])).toBe(true);
  expect(owns(other, ["spec", "selector", "matchLabels"])).toBe(true);
  expect(owns(other, ["spec", "replicas"])).toBe(false);
});
