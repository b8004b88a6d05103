import { topic } from "../../command.ts";
import { runs } from "./runs.ts";

export default topic("the runs of cron services", { runs }, { standard: "runs" });
