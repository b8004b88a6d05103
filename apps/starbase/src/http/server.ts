import { Problem, type Problem as ProblemDocument } from "@starform/contract/problems";
import { Fault, faultCodes, type FaultCode } from "@starform/std/fault";
import { isFullDisk } from "@starform/std/full-disk";
import { platformDiskIsFull } from "../core/full-disk.ts";
import fastify, {
  LogController,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import type { Logger } from "pino";

export type Server = ReturnType<typeof buildServer>;

const bodyBytesMax = 4 * 2 ** 20;

/** The HTTP server with one error form: RFC 9457 problem documents. Secrets in headers never reach the log. */
export function buildServer({ logger }: { logger: Logger }) {
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    requestTimeout: 0,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
    // What is refused before any route is looked for: an address that cannot be read.
    frameworkErrors: (error, request, reply) => void tellProblem(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(tellProblem);
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type("application/problem+json")
      .serializer(JSON.stringify)
      .send(
        document(
          "not_found",
          `there is nothing at ${request.method} ${pathOf(request.url)}: see /docs for what there is`,
          request.url,
        ),
      ),
  );
  // Uploads are streamed by their handler.
  for (const type of ["application/gzip", "application/octet-stream"])
    app.addContentTypeParser(type, (_request, _payload, done) => done(null));
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, done) => {
    if (text === "") return done(null, undefined);
    try {
      done(null, JSON.parse(text as string));
    } catch (error) {
      done(
        new Fault(
          "malformed",
          `the body is not JSON: ${error instanceof Error ? error.message : "it cannot be read"}`,
        ),
      );
    }
  });
  return app as unknown as FastifyInstance;
}

const pathOf = (url: string): string => url.split("?")[0] ?? url;

function tellProblem(
  error: FastifyError | Fault,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemOf(error, request.url);
  if (problem.status >= 500)
    request.log.error(
      {
        err: error,
        detail: error instanceof Fault ? error.detail : undefined,
        method: request.method,
        path: pathOf(request.url),
      },
      "request failed",
    );
  if (problem.code === "unauthenticated") reply.header("www-authenticate", "Bearer");
  return reply.code(problem.status).type("application/problem+json").serializer(JSON.stringify).send(problem);
}

/** Any error as the document a caller gets: a Fault by its code, a full disk, the framework's refusals by theirs, the rest as `internal`. */
export function problemOf(error: FastifyError | Fault, url: string): ProblemDocument {
  if (error instanceof Fault) {
    const detail =
      error.code === "internal"
        ? "something went wrong on our side; it was written to the log"
        : error.message;
    return {
      ...document(error.code, detail, url),
      ...(error.issues.length > 0 ? { issues: [...error.issues] } : {}),
    };
  }
  if (isFullDisk(error)) return document("disk_full", platformDiskIsFull, url);
  if (error.validation) {
    const issues = error.validation.map((issue) => ({
      path: [partOf(error.validationContext), ...issue.instancePath.split("/").filter(Boolean)].join("."),
      message: issue.message ?? "is wrong",
    }));
    return {
      ...document("invalid", issues.map(({ path, message }) => `${path}: ${message}`).join("; "), url),
      issues,
    };
  }
  if (holdsNul.has(error.code))
    return document(
      "malformed",
      "the request holds a NUL character, which cannot be stored: leave it out",
      url,
    );
  if (error.statusCode === 413)
    return document("too_large", `the body is larger than ${bodyBytesMax / 2 ** 20} MiB`, url);
  if (error.statusCode && error.statusCode < 500)
    return document("malformed", refusals[error.code] ?? error.message, url);
  return document("internal", "something went wrong on our side; it was written to the log", url);
}

/** What the framework refuses by itself, with the way out. */
const refusals: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    "the body is of no type that is read here: send JSON, as Content-Type: application/json",
  FST_ERR_BAD_URL: "this address cannot be read: a % in it stands before two hexadecimal digits of UTF-8",
};

/** A part of a request as the reference calls it. */
const partOf = (context = "body"): string => (context === "querystring" ? "query" : context);

/** What Postgres says of a NUL in a text and in JSON. */
const holdsNul = new Set(["22021", "22P05"]);

const titles: Partial<Record<FaultCode, string>> = {
  malformed: "The request cannot be read",
  unauthenticated: "Sign in first",
  not_found: "Not found",
  invalid: "The input is not valid",
  internal: "Internal error",
  disk_full: "The disk is full",
};

const document = (code: FaultCode, detail: string, url: string): ProblemDocument =>
  Problem.parse({
    type: `https://starform.app/problems/${code}`,
    title: titles[code] ?? code.replaceAll("_", " "),
    status: faultCodes[code],
    code,
    detail,
    instance: pathOf(url),
  });
