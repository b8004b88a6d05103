import * as gitHosts from "@starform/contract/git-hosts";
import * as contract from "@starform/contract/registries";
import type { FastifyInstance } from "fastify";
import type { ProjectCredential } from "../core/images/ports.ts";
import type { createRegistryPassword } from "../core/images/create-registry-password.ts";
import type { deleteCredential, listCredentials, putCredential } from "../core/images/project-credentials.ts";
import { serve, type ServeDeps } from "./serve.ts";

export type RegistryDeps = ServeDeps & {
  listCredentials: ReturnType<typeof listCredentials>;
  putCredential: ReturnType<typeof putCredential>;
  deleteCredential: ReturnType<typeof deleteCredential>;
  createRegistryPassword: ReturnType<typeof createRegistryPassword>;
};

export function registryLoginRoutes(app: FastifyInstance, deps: RegistryDeps): void {
  serve(app, deps, contract.listRegistries, async ({ actor, params }) => ({
    items: (await deps.listCredentials(actor, params.project, "registry")).map(presentLogin),
  }));
  serve(app, deps, contract.putRegistry, async ({ actor, params, body }) =>
    presentLogin(
      await deps.putCredential(actor, params.project, { kind: "registry", host: params.host, ...body }),
    ),
  );
  serve(app, deps, contract.deleteRegistry, ({ actor, params }) =>
    deps.deleteCredential(actor, params.project, { kind: "registry", host: params.host }),
  );
  serve(app, deps, gitHosts.listGitLogins, async ({ actor, params }) => ({
    items: (await deps.listCredentials(actor, params.project, "git")).map(presentLogin),
  }));
  serve(app, deps, gitHosts.putGitLogin, async ({ actor, params, body }) =>
    presentLogin(
      await deps.putCredential(actor, params.project, { kind: "git", host: params.host, ...body }),
    ),
  );
  serve(app, deps, gitHosts.deleteGitLogin, ({ actor, params }) =>
    deps.deleteCredential(actor, params.project, { kind: "git", host: params.host }),
  );
  serve(app, deps, contract.createRegistryPassword, async ({ actor, params, body }, deps) => {
    const made = await deps.createRegistryPassword(actor, params.project, body);
    return { ...made, expiresAt: made.expiresAt.toISOString() };
  });
}

const presentLogin = ({ host, username, createdBy, createdAt }: ProjectCredential) => ({
  host,
  username,
  createdBy,
  createdAt: createdAt.toISOString(),
});
