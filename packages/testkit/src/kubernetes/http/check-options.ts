import { badRequest, invalidObject } from "../model/api-error.ts";
import { forbiddenField, notSupported, type FieldError } from "../model/field-error.ts";
import { ApiError } from "../model/api-error.ts";
import type { ApiRequest } from "./api-request.ts";

const kinds: Readonly<Record<string, string>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
};
const managerBytesMax = 128;
const validations = ["", "Ignore", "Strict", "Warn"];

/** What is wrong with the parameters of a write. */
export function checkWriteOptions({ method, query, contentType }: ApiRequest): void {
  const kind = kinds[method];
  if (!kind) return;
  const errors: FieldError[] = [];
  const [dryRun, manager, validation] = [
    query.getAll("dryRun"),
    query.get("fieldManager") ?? "",
    query.get("fieldValidation") ?? "",
  ];
  if (method === "PATCH" && query.has("force") && !contentType.startsWith("application/apply-patch"))
    errors.push(forbiddenField("force", "may not be specified for non-apply patch"));
  if (dryRun.some((one) => one !== "All")) errors.push(notSupported("dryRun", dryRun, ["All"]));
  if (Buffer.byteLength(manager) > managerBytesMax)
    errors.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${managerBytesMax} bytes`,
      field: "fieldManager",
    });
  if (!validations.includes(validation))
    errors.push(notSupported("fieldValidation", validation, validations));
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind }, "", errors);
}

const field = "resourceVersionMatch";

/** What is wrong with the parameters of a list or a watch. */
export function checkListOptions(query: URLSearchParams, isWatch: boolean): void {
  for (const name of ["limit", "timeoutSeconds"]) {
    const value = query.get(name);
    if (value !== null && value !== "" && !/^[+-]?\d+$/.test(value))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  const errors = isWatch ? watchErrors(query) : listErrors(query);
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  const version = query.get("resourceVersion") ?? "";
  if (version === "" || /^\d+$/.test(version)) return;
  const why = `resourceVersion: Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`;
  if (isWatch) throw new ApiError(500, { message: why });
  throw badRequest(`invalid resource version: ${why}`);
}

function listErrors(query: URLSearchParams): readonly FieldError[] {
  const [match, version] = [query.get(field), query.get("resourceVersion") ?? ""];
  if (query.has("sendInitialEvents"))
    return [forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list")];
  if (!match) return [];
  if (version === "")
    return [forbiddenField(field, "resourceVersionMatch is forbidden unless resourceVersion is provided")];
  if (match === "Exact" && version === "0")
    return [forbiddenField(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')];
  return ["Exact", "NotOlderThan"].includes(match)
    ? []
    : [notSupported(field, match, ["Exact", "NotOlderThan", ""])];
}

function watchErrors(query: URLSearchParams): readonly FieldError[] {
  const [match, sends] = [query.get(field), query.has("sendInitialEvents")];
  const errors: FieldError[] = [];
  if (match && !sends)
    errors.push(
      forbiddenField(
        field,
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
      ),
    );
  if (sends && !match)
    errors.push(
      forbiddenField(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    );
  if (match && match !== "NotOlderThan") errors.push(notSupported(field, match, ["NotOlderThan"]));
  return errors;
}
