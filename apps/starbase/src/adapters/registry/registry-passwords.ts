import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { RegistryPasswords } from "../../core/images/ports.ts";

const mark = "sfr_";

/**
 * Passwords `sfr_<what they open>.<HMAC-SHA256 of it>`: nothing is stored, so they cannot be revoked one by one; that is
 * what their end is for. The key is derived from `secret`, which may serve other purposes too.
 */
export function registryPasswords(secret: string): RegistryPasswords {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "starform registry password", 32));
  const macOf = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  return {
    seal({ projectId, access, expiresAt }) {
      const body = Buffer.from(JSON.stringify([projectId, access, Math.floor(expiresAt.getTime() / 1_000)]));
      const text = body.toString("base64url");
      return `${mark}${text}.${macOf(text).toString("base64url")}`;
    },
    read(password) {
      const [text, given] = password.startsWith(mark) ? password.slice(mark.length).split(".") : [];
      if (!text || !given) return undefined;
      const [mac, right] = [Buffer.from(given, "base64url"), macOf(text)];
      if (mac.length !== right.length || !timingSafeEqual(mac, right)) return undefined;
      const [projectId, access, expires] = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as [
        string,
        "pull" | "push",
        number,
      ];
      return { projectId, access, expiresAt: new Date(expires * 1_000) };
    },
  };
}
