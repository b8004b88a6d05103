import { topic } from "../../command.ts";
import { list } from "./list.ts";
import { show } from "./show.ts";
import { watch } from "./watch.ts";

export default topic("list, show and watch deployments", { list, show, watch }, { standard: "list" });
