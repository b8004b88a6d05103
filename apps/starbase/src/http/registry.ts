import { registryTokenPath } from "@starform/std/docker-registry-config";
import { faultCodes, isFault, wordsOf } from "@starform/std/fault";
import type { FastifyInstance, FastifyReply } from "fastify";
import type {
  GrantRegistryAccess,
  RegistryAsk,
  RegistryGrant,
} from "../core/images/grant-registry-access.ts";
import type { RegistryScope } from "../core/images/ports.ts";

/**
 * The token server of the built-in registry, in both forms Docker clients speak: GET with a password in the header, and
 * an OAuth 2 form. Errors are written as registries write them, because that is what a client shows to the person.
 */
export function registryRoutes(app: FastifyInstance, grant: GrantRegistryAccess): void {
  void app.register(async (routes) => {
    routes.addContentTypeParser(
      "application/x-www-form-urlencoded",
      { parseAs: "string" },
      (_request, text, done) => done(null, new URLSearchParams(text as string)),
    );
    routes.get<{ Querystring: Record<string, string | string[]> }>(
      registryTokenPath,
      { schema: { hide: true } },
      (request, reply) => {
        const asked = request.query["scope"] ?? [];
        const [username, password] = basic(request.headers.authorization);
        return answer(reply, grant, { username, password, scopes: scopesIn([asked].flat()) });
      },
    );
    routes.post<{ Body: URLSearchParams | undefined }>(
      registryTokenPath,
      { schema: { hide: true } },
      ({ body }, reply) => {
        if (body?.get("grant_type") !== "password")
          return refuse(reply, 400, "UNSUPPORTED", "only grant_type=password is known here");
        return answer(reply, grant, {
          username: body.get("username") ?? "",
          password: body.get("password") ?? "",
          scopes: scopesIn(body.getAll("scope")),
        });
      },
    );
  });
}

async function answer(reply: FastifyReply, grant: GrantRegistryAccess, ask: RegistryAsk): Promise<unknown> {
  try {
    return await reply.header("cache-control", "no-store").send(wordsFor(await grant(ask)));
  } catch (error) {
    if (!isFault(error)) throw error;
    if (error.code === "unauthenticated") void reply.header("www-authenticate", 'Basic realm="Starform"');
    const code = error.code === "unauthenticated" ? "UNAUTHORIZED" : "TOOMANYREQUESTS";
    return refuse(reply, faultCodes[error.code], code, wordsOf(error));
  }
}

/** Older clients read `token`, OAuth ones `access_token`. */
const wordsFor = ({ token, seconds, issuedAt }: RegistryGrant) => ({
  token,
  access_token: token,
  expires_in: seconds,
  issued_at: issuedAt.toISOString(),
});

const refuse = (reply: FastifyReply, status: number, code: string, message: string) =>
  reply.code(status).send({ errors: [{ code, message }] });

function basic(authorization: string | undefined): [string, string] {
  const [, value] = /^Basic (\S+)$/i.exec(authorization ?? "") ?? [];
  const text = Buffer.from(value ?? "", "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? ["", ""] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** `<type>:<name>:<action>,…`, several apart or in one, by spaces. The name may hold colons of its own. */
function scopesIn(texts: readonly string[]): RegistryScope[] {
  return texts
    .flatMap((text) => text.split(" "))
    .slice(0, 20)
    .flatMap((text) => {
      const [, type, name, actions] = /^([a-z]+(?:\([a-z]+\))?):(.+):([a-z*,]*)$/.exec(text) ?? [];
      return type && name ? [{ type, name, actions: (actions ?? "").split(",").filter(Boolean) }] : [];
    });
}
