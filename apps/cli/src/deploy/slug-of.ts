/** A name that a project and a service may have, made of a folder's: `My App (2)` is `my-app-2`. At most 30 characters. */
export function slugOf(name: string): string {
  const slug = name
    .normalize("NFKD")
    .replaceAll(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 30)
    .replace(/-+$/, "");
  return slug.length >= 2 ? slug : slug === "" ? "app" : `app-${slug}`;
}
