type Fields = Readonly<Record<string, unknown>>;

export const image = (tag: string): string => `registry.example/web:${tag}`;

/** A deployment with one container; `spec` and `container` add or replace fields. */
export const aDeployment = (
  name: string,
  { spec, container, namespace = "default" }: { spec?: Fields; container?: Fields; namespace?: string } = {},
) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace, labels: { app: name } },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    ...spec,
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image: image("1"), ...container }] },
    },
  },
});

export const aNamespace = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});

export const aService = (name: string, namespace = "default") => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
});

export const readiness = { readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 2 } };
