import { readDpkgStatus, type DebianPackage } from "@starform/build-plan/components/debian";
import type { BuildKit } from "@starform/buildkit/client";
import { readImageFile, type ImageFile } from "@starform/buildkit/read-image-file";

/** A desktop with all its languages has some 5 MiB. */
const statusBytesMax = 8 * 2 ** 20;

/**
 * The Debian packages that an image holds; undefined where it is not made of Debian, or its builder cannot look into it
 * again. Never a reason for a build to fail.
 */
export async function debianPackagesOf(
  client: BuildKit,
  image: Omit<ImageFile, "path">,
): Promise<DebianPackage[] | undefined> {
  const status = { ...image, path: "/var/lib/dpkg/status" };
  const bytes = await readImageFile(client, status, statusBytesMax).catch(() => undefined);
  const packages = bytes && readDpkgStatus(Buffer.from(bytes).toString());
  return packages && packages.length > 0 ? packages : undefined;
}
