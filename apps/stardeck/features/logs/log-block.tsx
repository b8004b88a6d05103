"use client";
import { memo, useEffect, useRef, useState } from "react";
import type { Line } from "./line-buffer.ts";
import { LogLine } from "./log-line.tsx";

const lineHeightPx = 20;
type LogBlockProps = { lines: readonly Line[]; beginsNear: boolean };

/** About a hundred lines, made only while they are near what is in sight; a gap of their height holds their place. */
export const LogBlock = memo(function LogBlock({ lines, beginsNear }: LogBlockProps) {
  const [isNear, setNear] = useState(beginsNear);
  const [heightPx, setHeight] = useState<number>();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current!;
    const watch = new IntersectionObserver(
      ([entry]) => {
        if (!entry) return;
        if (!entry.isIntersecting) setHeight(element.offsetHeight);
        setNear(entry.isIntersecting);
      },
      { root: element.closest('[role="log"]'), rootMargin: "1500px 0px" },
    );
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={box} style={isNear ? undefined : { height: heightPx ?? lines.length * lineHeightPx }}>
      {isNear && lines.map((line) => <LogLine key={line.id} line={line} />)}
    </div>
  );
}, isSame);

/** Lines never change; blocks grow at their end or lose what falls off the top. */
function isSame(a: LogBlockProps, b: LogBlockProps): boolean {
  return a.lines.length === b.lines.length && a.lines[0]?.id === b.lines[0]?.id;
}
