"use client";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { ServicePlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { cx } from "../../ui/class-names.ts";
import { count } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/states.tsx";
import { Status, type Tone } from "../../ui/status.tsx";
import { blocksOf, type Line } from "./line-buffer.ts";
import { LogBlock } from "./log-block.tsx";
import { useLogLines, type LogScope } from "./use-log-lines.ts";

type LogViewProps = {
  place: ServicePlace;
  scope: LogScope;
  isLive: boolean;
  heightClassName: string;
  emptyWords: string;
  /** Inside another panel: without a frame of its own. */
  isBare?: boolean;
};

const states = {
  loading: { tone: "busy", word: "Loading" },
  live: { tone: "good", word: "Live" },
  reconnecting: { tone: "warn", word: "Reconnecting" },
  ended: { tone: "still", word: "Complete" },
} as const satisfies Record<string, { tone: Tone; word: string }>;

/** Log lines that follow the newest until one scrolls up or pauses. Only the blocks near what is in sight are made. */
export function LogView({ place, scope, isLive, heightClassName, emptyWords, isBare = false }: LogViewProps) {
  const { lines, state, error, hasOlder, isLoadingOlder, loadOlder } = useLogLines(place, scope, isLive);
  const [paused, setPaused] = useState<readonly Line[]>();
  const [isFollowing, setFollowing] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const shown = paused ?? lines;
  const blocks = blocksOf(shown);
  const missed = paused ? (lines.at(-1)?.id ?? 0) - (paused.at(-1)?.id ?? 0) : 0;
  const content = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  const isPinned = isFollowing && !paused;
  const toNewest = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(() => {
    if (isPinned) toNewest();
  }, [lines, isPinned]);
  // Blocks that come near grow to their true height.
  useEffect(() => {
    if (!isPinned || !content.current) return;
    const watch = new ResizeObserver(toNewest);
    watch.observe(content.current);
    return () => watch.disconnect();
  }, [isPinned]);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    if (scrollHeight - scrollTop - clientHeight < 40) setFollowing(true);
    else if (scrollTop < lastTop.current - 2) setFollowing(false);
    lastTop.current = scrollTop;
  };
  const older = () => {
    setFollowing(false);
    loadOlder();
  };
  return (
    <div
      className={cx(
        "flex min-w-0 flex-col overflow-hidden",
        !isBare && "rounded-lg border border-line bg-surface",
      )}
    >
      <ErrorNotice error={error} className="m-2" />
      <div className="relative min-h-0">
        <div
          ref={box}
          onScroll={onScroll}
          tabIndex={0}
          role="log"
          aria-label="Log lines"
          aria-live="off"
          className={cx(
            "overflow-y-auto overscroll-contain bg-well py-1 font-mono text-xs leading-5",
            heightClassName,
          )}
        >
          <div ref={content}>
            {hasOlder && !paused && (
              <div className="flex justify-center py-1">
                <Button
                  size="small"
                  look="quiet"
                  className="font-sans"
                  isBusy={isLoadingOlder}
                  onClick={older}
                >
                  Show older lines
                </Button>
              </div>
            )}
            {shown.length === 0 && (
              <p className="px-3 py-6 text-center font-sans text-[13px] text-ink-soft">
                {state === "loading" ? "Loading…" : emptyWords}
              </p>
            )}
            {blocks.map(({ key, lines }, at) => (
              <LogBlock key={key} lines={lines} beginsNear={at > blocks.length - 3} />
            ))}
          </div>
        </div>
        {!isFollowing && !paused && (
          <Button
            size="small"
            className="absolute right-4 bottom-3 shadow-lg"
            onClick={() => setFollowing(true)}
          >
            To the newest
          </Button>
        )}
      </div>
      <div className="flex min-h-9 items-center justify-between gap-3 border-t border-line px-3 py-1 text-xs text-ink-soft">
        <Status {...(paused ? { tone: "warn" as const, word: "Paused" } : states[state])} />
        <span className="flex items-center gap-3 tabular-nums">
          {missed > 0 ? `${count(missed, "new line")} since` : count(shown.length, "line")}
          {isLive && (
            <Button
              size="small"
              onClick={() => setPaused(paused ? undefined : lines)}
              aria-pressed={paused !== undefined}
            >
              {paused ? "Resume" : "Pause"}
            </Button>
          )}
        </span>
      </div>
    </div>
  );
}
