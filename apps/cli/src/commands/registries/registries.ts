import { topic } from "../../command.ts";
import { add } from "./add.ts";
import { list } from "./list.ts";
import { password } from "./password.ts";
import { remove } from "./remove.ts";

export default topic(
  "private registries that prebuilt images come from, and the platform's own",
  { list, add, remove, password },
  { standard: "list", aliases: { delete: "remove", login: "add" } },
);
