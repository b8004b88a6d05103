import { getDeployment, listDeployments, type Deployment } from "@starform/contract/deployments";
import { everyItem } from "@starform/client/client";
import type { Api } from "../context.ts";
import { exitCodes, ExitError, usageError } from "../exit-error.ts";
import { paramsOf, queryOf, type Target } from "../target.ts";

const isId = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);

/** The deployments of a service, newest first, page by page as they are taken. */
export const deploymentsOf = (api: Api, target: Target, limit = 50): AsyncGenerator<Deployment> =>
  everyItem<typeof listDeployments, Deployment>(api.call, listDeployments, {
    params: paramsOf(target),
    query: { ...queryOf(target), limit },
  });

/** A deployment as a person names it: its number (`12`, `#12`), its id, or the beginning of its id. */
export async function findDeployment(
  api: Api,
  target: Target | (() => Promise<Target>),
  named: string,
): Promise<Deployment> {
  if (isId(named)) return api.call(getDeployment, { params: { deployment: named } });
  const at = typeof target === "function" ? await target() : target;
  const number = /^#?(\d{1,6})$/.exec(named)?.[1];
  if (!number && !/^[0-9a-f-]{6,36}$/i.test(named))
    throw usageError(
      `"${named}" names no deployment: write its number (12) or its id; a service is named with --service`,
    );
  for await (const deployment of deploymentsOf(api, at, 200)) {
    if (number ? deployment.number === Number(number) : deployment.id.startsWith(named.toLowerCase()))
      return deployment;
    if (number && deployment.number < Number(number)) break;
  }
  throw new ExitError(
    exitCodes.failed,
    `${at.service} has no deployment ${number ? `#${number}` : named} in ${at.environment}: starform deployments lists them`,
  );
}
