import { topic } from "../../command.ts";
import { bootstrap } from "./bootstrap.ts";
import { doctor } from "./doctor.ts";
import { remove } from "./remove.ts";

export default topic("install, examine and remove a Kubernetes cluster", { bootstrap, doctor, remove });
