import { put } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { Strategy } from "./kind.ts";

/** A kubelet registers its node together with what it found there: a node's status may come with its creation. */
export const nodes: Strategy = {
  onUpdate: (object, old) => put(object, ["status"], old["status"]) as Stored,
};
