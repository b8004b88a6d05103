/** A name as it can stand in an address: "My Shop 2" becomes "my-shop-2". */
export const slugFrom = (name: string, lengthMax = 63): string =>
  name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f]/g, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, lengthMax)
    .replaceAll(/^-+|-+$/g, "");
