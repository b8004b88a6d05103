import { topic } from "../../command.ts";
import { deleteVariables } from "./delete.ts";
import { list } from "./list.ts";
import { reveal } from "./reveal.ts";
import { set } from "./set.ts";

export default topic(
  "list, set, delete and reveal variables",
  { list, set, delete: deleteVariables, reveal },
  { standard: "list", aliases: { unset: "delete", rm: "delete" } },
);
