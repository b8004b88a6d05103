import { topic } from "../../command.ts";
import { create } from "./create.ts";
import { list } from "./list.ts";
import { rotateToken } from "./rotate-token.ts";

export default topic(
  "the platform's clusters: list, create, rotate tokens",
  { list, create, "rotate-token": rotateToken },
  { standard: "list" },
);
