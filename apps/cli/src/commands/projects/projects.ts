import { topic } from "../../command.ts";
import { create } from "./create.ts";
import { deleteOne } from "./delete.ts";
import { list } from "./list.ts";

export default topic(
  "list, create and delete projects",
  { list, create, delete: deleteOne },
  { standard: "list" },
);
