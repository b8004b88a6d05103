import { flagOf, valueOf } from "../../command.ts";

export const entryFlags = {
  secret: flagOf("hide the values from now on"),
  stdin: flagOf("read the value of the named variable (or a whole .env) from standard input"),
  fromFile: valueOf("file", "read a .env file"),
} as const;
