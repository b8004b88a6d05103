import { ServiceSettings } from "@starform/contract/services";
import { expect, test } from "vitest";
import { cliSteps, gitSteps } from "./push-commands.ts";

test("the commands can be pasted as they are", () => {
  const service = {
    gitUrl: "http://127.0.0.1:4401/git/shop/web.git",
    settings: ServiceSettings.parse({ branch: "feature/x y" }),
  };
  expect(gitSteps(service).map(({ command }) => command)).toEqual([
    'git init -b main && git add -A && git commit -m "First deployment"',
    "git remote add starform http://token@127.0.0.1:4401/git/shop/web.git",
    "git push starform HEAD:'feature/x y'",
  ]);
  const input = {
    cli: "/home/me/my star/starform",
    link: "http://localhost:4400/sign-in?code=a_b",
    project: "shop",
    service: "web",
    environment: "staging",
  };
  expect(cliSteps(input).map(({ command }) => command)).toEqual([
    "'/home/me/my star/starform' login 'http://localhost:4400/sign-in?code=a_b'",
    "cd path/to/your/app",
    "'/home/me/my star/starform' up --project shop --service web --environment staging",
  ]);
});
