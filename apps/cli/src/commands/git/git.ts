import { topic } from "../../command.ts";
import { remote } from "./remote.ts";

export default topic("deploy by git push", { remote });
