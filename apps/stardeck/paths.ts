import { firstEnvironment } from "@starform/contract/names";

/** Every link of the dashboard. A path never holds a secret; `production` is written like any other environment. */
const segment = encodeURIComponent;

export type ProjectPlace = { readonly project: string; readonly environment: string };
export type ServicePlace = ProjectPlace & { readonly service: string };

export const paths = {
  projects: () => "/",
  newProject: () => "/new",
  tokens: () => "/tokens",
  members: (workspace: string) => `/workspaces/${segment(workspace)}/members`,
  audit: (workspace: string) => `/workspaces/${segment(workspace)}/audit`,
  signIn: (next?: string) => (next && next !== "/" ? `/sign-in?next=${segment(next)}` : "/sign-in"),
  project: ({ project, environment = firstEnvironment }: { project: string; environment?: string }) =>
    `/projects/${segment(project)}/${segment(environment)}`,
  newService: (place: ProjectPlace) => `${paths.project(place)}/new-service`,
  varGroups: (place: ProjectPlace) => `${paths.project(place)}/var-groups`,
  projectSettings: (place: ProjectPlace) => `${paths.project(place)}/settings`,
  service: (place: ServicePlace) => `${paths.project(place)}/services/${segment(place.service)}`,
  logs: (place: ServicePlace) => `${paths.service(place)}/logs`,
  variables: (place: ServicePlace) => `${paths.service(place)}/variables`,
  metrics: (place: ServicePlace) => `${paths.service(place)}/metrics`,
  serviceSettings: (place: ServicePlace) => `${paths.service(place)}/settings`,
  deployment: (place: ServicePlace & { deployment: string }) =>
    `${paths.service(place)}/deployments/${segment(place.deployment)}`,
} as const;

/** Where services that were made just now are seen: one on its own page, several among all. */
export const pathOfMade = (place: ProjectPlace, names: readonly string[]): string =>
  names.length === 1 ? paths.service({ ...place, service: names[0]! }) : paths.project(place);

/** Where to go after signing in: a path of this dashboard, whatever the address bar was made to say. */
export function safeNext(next: string | null | undefined): string {
  if (!next?.startsWith("/")) return paths.projects();
  const base = "http://dashboard.invalid";
  const url = URL.parse(next, base);
  return url && url.origin === base ? `${url.pathname}${url.search}${url.hash}` : paths.projects();
}
