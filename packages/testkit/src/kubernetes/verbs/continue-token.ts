import { ApiError, badRequest } from "../model/api-error.ts";

/** Where a list goes on: after which key, and as of which revision; -1 means as of now. */
export type Continue = { readonly revision: number; readonly after: string };

export const writeContinue = ({ revision, after }: Continue): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${after}\0` })).toString(
    "base64url",
  );

const invalidToken = (why: string): ApiError =>
  badRequest(`invalid continue token: continue key is not valid: ${why}`);

export function readContinue(token: string): Continue {
  const text = Buffer.from(token, "base64url").toString("latin1");
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(token, "base64url").toString()) as {
      v: string;
      rv: number;
      start: string;
    };
    if (v !== "meta.k8s.io/v1") throw invalidToken(`server does not recognize this encoded version "${v}"`);
    return { revision: rv, after: start.slice(0, -1) };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw invalidToken(`invalid character '${text[0] ?? ""}' looking for beginning of value`);
  }
}

/** 410: the revision is gone. The token given along goes on as of now, at the price of consistency. */
export const expiredToken = (after: string): ApiError =>
  new ApiError(410, {
    reason: "Expired",
    message:
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    metadata: { continue: writeContinue({ revision: -1, after }) },
  });
