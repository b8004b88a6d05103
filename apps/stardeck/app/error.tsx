"use client";
import { Button } from "../ui/button.tsx";
import { Empty } from "../ui/states.tsx";

/** The last resort: a fault of the page itself. */
export default function ErrorPage({ reset }: { reset: () => void }) {
  return (
    <main className="grid min-h-dvh place-items-center">
      <Empty
        title="This page broke"
        action={
          <Button look="primary" onClick={reset}>
            Try again
          </Button>
        }
      >
        It is a fault of the dashboard; what runs is not touched by it.
      </Empty>
    </main>
  );
}
