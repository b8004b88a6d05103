/** The public host of a service: `<service>-<project>[-<environment>]` under the apps domain; `production` is not said. */
export const publicHost = (
  service: string,
  project: string,
  environment: string,
  appsDomain: string,
): string => `${service}-${project}${environment === "production" ? "" : `-${environment}`}.${appsDomain}`;

/** HTTPRoute's name: both ids without hyphens, fixed width, then the environment. */
export const routeName = (projectId: string, serviceId: string, environment: string): string =>
  `${projectId.replaceAll("-", "")}${serviceId.replaceAll("-", "")}-${environment}`;

/** Where the API publishes the JSON schema of `starform.json`, below its address. */
export const starformSchemaPath = "/schemas/starform.json";

/** The port an app is told in `PORT`, inside its own network, where it has one. */
export const containerPort = 8080;
