import { topic } from "../../command.ts";
import { login } from "./login.ts";
import { logins } from "./logins.ts";
import { logout } from "./logout.ts";
import { remote } from "./remote.ts";

export default topic("deploy by git push", { remote, login, logins, logout });
