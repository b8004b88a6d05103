import type { Attempt } from "../access/rbac.ts";

/** Which requests are meant: all that is given must fit. */
export type RequestMatch = {
  /** get, list, watch, create, update, patch, delete, deletecollection; several with commas. */
  readonly verb?: string;
  /** The plural, such as `deployments`, or with a subresource, `pods/log`. */
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly user?: string;
  readonly path?: RegExp;
};

export type Seen = { readonly attempt: Attempt; readonly user: string; readonly path: string };

export function meets(match: RequestMatch, { attempt, user, path }: Seen): boolean {
  const full =
    attempt.subresource === undefined ? attempt.resource : `${attempt.resource}/${attempt.subresource}`;
  return (
    (match.verb === undefined || match.verb.split(",").includes(attempt.verb)) &&
    (match.resource === undefined || match.resource.split(",").includes(full)) &&
    (match.namespace === undefined || match.namespace === attempt.namespace) &&
    (match.name === undefined || match.name === attempt.name) &&
    (match.user === undefined || match.user === user) &&
    (match.path === undefined || match.path.test(path))
  );
}
