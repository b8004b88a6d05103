import { topic } from "../../command.ts";
import { attach, detach } from "./attach.ts";
import { create } from "./create.ts";
import { deleteGroup } from "./delete.ts";
import { deleteVariable } from "./delete-variable.ts";
import { list } from "./list.ts";
import { set } from "./set.ts";

export default topic(
  "sets of variables that services share",
  { list, create, set, "delete-variable": deleteVariable, attach, detach, delete: deleteGroup },
  { standard: "list" },
);
