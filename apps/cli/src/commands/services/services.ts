import { topic } from "../../command.ts";
import { create } from "./create.ts";
import { deleteOne } from "./delete.ts";
import { list } from "./list.ts";
import { update } from "./update.ts";

export default topic(
  "list, create, change and delete services",
  { list, create, update, delete: deleteOne },
  { standard: "list" },
);
