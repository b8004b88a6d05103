import type { ReactNode } from "react";

const icon = (path: ReactNode) =>
  function Icon({ className = "size-4" }: { className?: string }) {
    return (
      <svg
        aria-hidden
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
        className={`shrink-0 ${className}`}
      >
        {path}
      </svg>
    );
  };

export const CloseIcon = icon(<path d="m4 4 8 8m0-8-8 8" />);
export const ChevronIcon = icon(<path d="m4 6 4 4 4-4" />);
export const CheckIcon = icon(<path d="m3 8.5 3.2 3L13 4.5" />);
export const CopyIcon = icon(<path d="M6 6h7v7H6zM10 3.5V3H3v7h.5" />);
export const MoreIcon = icon(<path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2.2" />);
export const OutIcon = icon(<path d="M6 3.5H3.5v9h9V10M9 3.5h3.5V7M12 4 7.5 8.5" />);
export const PlusIcon = icon(<path d="M8 3v10M3 8h10" />);
export const LockIcon = icon(<path d="M4 7.5h8V13H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2" />);
export const EyeIcon = icon(
  <path d="M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8ZM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z" />,
);
export const TrashIcon = icon(<path d="M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5" />);
export const PencilIcon = icon(<path d="m10.5 3 2.5 2.5L6 12.5l-3 .5.5-3z" />);

/** The mark of Starform: one four-pointed star. */
export function StarMark({ className = "size-5" }: { className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 20 20" className={`shrink-0 ${className}`}>
      <path
        fill="currentColor"
        d="M10 .8c.9 5.4 2.9 8.3 9.2 9.2-6.3.9-8.3 3.8-9.2 9.2-.9-5.4-2.9-8.3-9.2-9.2C7.100 9.100 9.100 6.200 10 .8Z"
      />
    </svg>
  );
}
