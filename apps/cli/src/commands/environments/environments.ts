import { topic } from "../../command.ts";
import { create } from "./create.ts";
import { deleteOne } from "./delete.ts";
import { list } from "./list.ts";
import { protect, unprotect } from "./protect.ts";

export default topic(
  "list, make, protect and delete environments",
  { list, new: create, protect, unprotect, delete: deleteOne },
  { standard: "list", aliases: { create: "new" } },
);
