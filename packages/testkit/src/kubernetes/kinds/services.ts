import { duplicate, immutable, invalid, required, type FieldError } from "../model/field-error.ts";
import { asObjects, asStrings, isList, omit, withDefaults, type JsonObject } from "../model/json.ts";
import { labelNameErrors } from "../model/names.ts";
import type { Stored } from "../model/object.ts";
import { inSpec, specOf } from "./in-spec.ts";
import type { KindContext, Strategy } from "./kind.ts";
import { oneOf, portErrors } from "./pod-validation.ts";

const isExposed = (type: unknown): boolean => type === "NodePort" || type === "LoadBalancer";

/** A port's target is the port itself unless said. */
const portDefaults = (port: JsonObject): JsonObject =>
  withDefaults(port["targetPort"] === 0 || port["targetPort"] === "" ? omit(port, "targetPort") : port, {
    protocol: "TCP",
    targetPort: port["port"],
  });

function serviceDefaults(spec: JsonObject): JsonObject {
  const type = spec["type"] ?? "ClusterIP";
  const out = withDefaults(spec, {
    type,
    sessionAffinity: "None",
    ...(type !== "ExternalName" && { internalTrafficPolicy: "Cluster" }),
    ...(isExposed(type) && { externalTrafficPolicy: "Cluster" }),
    ...(type === "LoadBalancer" && { allocateLoadBalancerNodePorts: true }),
  });
  return isList(out["ports"]) ? { ...out, ports: asObjects(out["ports"]).map(portDefaults) } : out;
}

/** Addresses and node ports are given once and kept. */
function allocate(spec: JsonObject, old: JsonObject | undefined, context: KindContext): JsonObject {
  if (spec["type"] === "ExternalName") return spec;
  const address = spec["clusterIP"] ?? old?.["clusterIP"] ?? context.allocateAddress();
  const oldPorts = asObjects(old?.["ports"]);
  const nodePortOf = (port: JsonObject) =>
    oldPorts.find((one) => one["port"] === port["port"] && one["protocol"] === port["protocol"])?.[
      "nodePort"
    ] ?? context.allocateNodePort();
  const hasNodePorts = isExposed(spec["type"]) && spec["allocateLoadBalancerNodePorts"] !== false;
  return {
    ...withDefaults(spec, {
      clusterIP: address,
      clusterIPs: asStrings(spec["clusterIPs"]).length > 0 ? spec["clusterIPs"] : [address],
      ipFamilies: old?.["ipFamilies"] ?? ["IPv4"],
      ipFamilyPolicy: old?.["ipFamilyPolicy"] ?? "SingleStack",
    }),
    ...(isList(spec["ports"]) && {
      ports: asObjects(spec["ports"]).map((port) =>
        hasNodePorts ? withDefaults(port, { nodePort: nodePortOf(port) }) : port,
      ),
    }),
  };
}

function serviceErrors(object: Stored): readonly FieldError[] {
  const spec = specOf(object);
  const ports = asObjects(spec["ports"]);
  const isHeadless = spec["clusterIP"] === "None";
  return [
    ...(ports.length === 0 && spec["type"] !== "ExternalName" && !isHeadless ? [required("spec.ports")] : []),
    ...ports.flatMap((port, index) => [
      ...portErrors(port["port"], `spec.ports[${index}].port`),
      ...(ports.length > 1 && !port["name"] ? [required(`spec.ports[${index}].name`)] : []),
      ...(port["name"] ? labelNameErrors(String(port["name"]), `spec.ports[${index}].name`) : []),
      ...(port["name"] && ports.slice(0, index).some(({ name }) => name === port["name"])
        ? [duplicate(`spec.ports[${index}].name`, port["name"])]
        : []),
      ...(typeof port["targetPort"] === "string" && port["targetPort"].length > 15
        ? [
            invalid(
              `spec.ports[${index}].targetPort`,
              port["targetPort"],
              "must be no more than 15 characters",
            ),
          ]
        : []),
      ...oneOf(port["protocol"], `spec.ports[${index}].protocol`, ["TCP", "UDP", "SCTP"]),
    ]),
    ...oneOf(spec["sessionAffinity"], "spec.sessionAffinity", ["ClientIP", "None"]),
    ...oneOf(spec["type"], "spec.type", ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]),
    ...(spec["type"] === "ExternalName" && !spec["externalName"] ? [required("spec.externalName")] : []),
  ];
}

export const services: Strategy = {
  defaults: (object) => inSpec(object, serviceDefaults),
  onCreate: (object, context) => ({
    ...inSpec(object, (spec) => allocate(spec, undefined, context)),
    status: { loadBalancer: {} },
  }),
  onUpdate: (object, old, context) => inSpec(object, (spec) => allocate(spec, specOf(old), context)),
  validate: serviceErrors,
  validateUpdate: (object, old) => {
    const [now, before] = [specOf(object), specOf(old)];
    const isKept = now["type"] === "ExternalName" || now["clusterIP"] === before["clusterIP"];
    return isKept || before["type"] === "ExternalName"
      ? []
      : [
          invalid("spec.clusterIPs[0]", [String(now["clusterIP"])], "may not change once set"),
          immutable("spec.clusterIP", now["clusterIP"]),
        ].slice(0, 1);
  },
};
