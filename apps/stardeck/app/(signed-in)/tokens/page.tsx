import { TokensPage } from "../../../features/tokens/tokens-page.tsx";

export const metadata = { title: "API tokens" };

export default function Page() {
  return <TokensPage />;
}
