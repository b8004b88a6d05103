import Link from "next/link";
import { connection } from "next/server";
import { paths } from "../paths.ts";
import { buttonClass } from "../ui/button.tsx";
import { Empty } from "../ui/states.tsx";

export const metadata = { title: "Not found" };

export default async function NotFound() {
  // Rendered for each request: its scripts carry the request's nonce.
  await connection();
  return (
    <main className="grid min-h-dvh place-items-center">
      <Empty
        title="There is no such page"
        action={
          <Link href={paths.projects()} className={buttonClass()}>
            All projects
          </Link>
        }
      >
        The address is wrong, or what was here is gone.
      </Empty>
    </main>
  );
}
