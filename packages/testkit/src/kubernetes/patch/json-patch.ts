import { ApiError, badRequest } from "../model/api-error.ts";
import { asObjects, equal, isList, isObject, omit, type Json } from "../model/json.ts";

const rejected = (): ApiError =>
  new ApiError(422, {
    reason: "Invalid",
    message: "the server rejected our request due to an error in our request",
    details: {},
  });

const stepsOf = (pointer: string): readonly string[] =>
  pointer === ""
    ? []
    : pointer
        .slice(1)
        .split("/")
        .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** A JSON patch (RFC 6902): all operations in order, or a refusal at the first that cannot be done. */
export function jsonPatch(target: Json, operations: Json): Json {
  if (!isList(operations))
    throw badRequest(
      "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch",
    );
  return asObjects(operations).reduce<Json>((value, { op, path, from, value: given }) => {
    const steps = stepsOf(String(path));
    switch (op) {
      case "add":
        return edit(value, steps, { insert: given ?? null });
      case "replace":
        read(value, steps);
        return edit(value, steps, { replace: given ?? null });
      case "remove":
        read(value, steps);
        return edit(value, steps, { remove: true });
      case "copy":
        return edit(value, steps, { insert: read(value, stepsOf(String(from))) });
      case "move": {
        const source = stepsOf(String(from));
        return edit(edit(value, source, { remove: true }), steps, { insert: read(value, source) });
      }
      case "test":
        if (!equal(find(value, steps) ?? null, given ?? null)) throw rejected();
        return value;
      default:
        throw rejected();
    }
  }, target);
}

const find = (value: Json, steps: readonly string[]): Json | undefined =>
  steps.reduce<Json | undefined>((here, step) => {
    if (isList(here)) return here[Number(step)];
    return isObject(here) ? here[step] : undefined;
  }, value);

function read(value: Json, steps: readonly string[]): Json {
  const found = find(value, steps);
  if (found === undefined) throw rejected();
  return found;
}

type Edit = { readonly insert?: Json; readonly replace?: Json; readonly remove?: true };

function edit(value: Json, [step, ...rest]: readonly string[], what: Edit): Json {
  const written = what.insert ?? what.replace ?? null;
  if (step === undefined) return written;
  if (isList(value)) return editList(value, { step, rest }, what);
  if (!isObject(value)) throw rejected();
  if (rest.length > 0) return { ...value, [step]: edit(read(value, [step]), rest, what) };
  return what.remove ? omit(value, step) : { ...value, [step]: written };
}

function editList(
  value: readonly Json[],
  { step, rest }: { readonly step: string; readonly rest: readonly string[] },
  what: Edit,
): Json {
  const index = step === "-" ? value.length : Number(step);
  if (!Number.isInteger(index) || index < 0 || index > value.length) throw rejected();
  if (rest.length > 0) return value.with(index, edit(read(value, [step]), rest, what));
  if (what.remove) return value.toSpliced(index, 1);
  return "insert" in what
    ? value.toSpliced(index, 0, what.insert ?? null)
    : value.with(index, what.replace ?? null);
}
