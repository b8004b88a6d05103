import { openPlatform } from "@starform/testkit/platform";
import type { Figure } from "./figure.ts";
import { openPushedApp, redeploys } from "./push-to-live.ts";

/** A redeploy of an unchanged commit alone, without the pushes that `push-to-live` measures before it. */
export async function run(): Promise<Figure[]> {
  await using platform = await openPlatform();
  using app = await openPushedApp(platform);
  await app.push(0);
  return [await redeploys(app)];
}
