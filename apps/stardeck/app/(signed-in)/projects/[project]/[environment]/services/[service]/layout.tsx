import type { Metadata } from "next";
import type { ReactNode } from "react";
import { ServiceFrame } from "../../../../../../../features/services/service-frame.tsx";
import { placeOf, type Params } from "../../../../../../../features/shell/place-of.ts";

type Props = { params: Params<"project" | "environment" | "service">; children: ReactNode };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { project, service } = await placeOf(params);
  return { title: `${service} · ${project}` };
}

export default async function Layout({ params, children }: Props) {
  return <ServiceFrame place={await placeOf(params)}>{children}</ServiceFrame>;
}
