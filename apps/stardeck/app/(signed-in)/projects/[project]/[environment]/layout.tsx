import type { Metadata } from "next";
import type { ReactNode } from "react";
import { ProjectFrame } from "../../../../../features/projects/project-frame.tsx";
import { placeOf, type Params } from "../../../../../features/shell/place-of.ts";

type Props = { params: Params<"project" | "environment">; children: ReactNode };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: (await placeOf(params)).project };
}

export default async function Layout({ params, children }: Props) {
  return <ProjectFrame place={await placeOf(params)}>{children}</ProjectFrame>;
}
