/** A package of Debian's that is installed in an image. */
export type DebianPackage = {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
};

/** Reads the text of `/var/lib/dpkg/status`; what is known of but not installed is left out. */
export const readDpkgStatus = (text: string): DebianPackage[] =>
  text.split(/\n\n+/).flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}: (.+)$`, "m").exec(stanza)?.[1] ?? "";
    const [name, version, architecture] = [field("Package"), field("Version"), field("Architecture")];
    return field("Status") === "install ok installed" && name && version
      ? [{ name, version, architecture }]
      : [];
  });

/** `pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64` */
export const debianUrl = ({ name, version, architecture }: DebianPackage): string =>
  `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}${architecture ? `?arch=${encodeURIComponent(architecture)}` : ""}`;
