import { type Slot, type SlotState, slotsADay, slotStates } from "./figures.js";

/** How a strip looks at a terminal. */
export type TerminalLook = { columns: number; hasColours: boolean };

const looks: Record<SlotState, { square: string; block: string; colour: number; means: string }> = {
  ok: { square: "🟩", block: "▇", colour: 32, means: "ok" },
  retried: { square: "🟧", block: "▅", colour: 33, means: "retried" },
  failed: { square: "🟥", block: "▂", colour: 31, means: "failed" },
  none: { square: "⬜", block: "·", colour: 90, means: "none" },
};

/** Six hours. Sixteen squares would wrap on a phone. */
const slotsARow = slotsADay / 4;

/** Slots as squares, oldest first, in rows that a phone shows whole; the hours are below each day. */
export function renderSquares(slots: readonly Slot[], now: Date): string {
  const days = chunksOf(slots, slotsADay).map((day, index, all) => {
    const rows = chunksOf(day, slotsARow).map((row) => row.map(({ state }) => looks[state].square).join(""));
    const next = all[index + 1];
    const end = next ? startOf(next) : now;
    return `${rows.join("\n")}\n${dayAndTime(startOf(day))} – ${dayAndTime(end)} UTC`;
  });
  return [...days, legend(({ square, means }) => `${square} ${means}`).join(" ")].join("\n");
}

/** Slots as blocks, a day a line, with the hours below. */
export function renderBlocks(slots: readonly Slot[], { columns, hasColours }: TerminalLook): string {
  const indent = " ".repeat("Wed ".length);
  const width = columns >= indent.length + 2 * slotsADay ? 2 : 1;
  const paint = (text: string, state: SlotState) =>
    hasColours ? `\u001B[${looks[state].colour}m${text}\u001B[0m` : text;
  const days = chunksOf(slots, slotsADay);
  const [first = []] = days;
  const hours = chunksOf(first, slotsARow).map((row) => time(startOf(row)).padEnd(slotsARow * width));
  return [
    ...days.map((day) => {
      const cells = day.map(({ state }) => paint(looks[state].block.repeat(width), state));
      return `${weekday(startOf(day))} ${cells.join("")}`;
    }),
    `${indent}${hours.join("").trimEnd()} UTC`,
    `${indent}${legend(({ block, means }, state) => `${paint(block, state)} ${means}`).join("  ")}`,
  ].join("\n");
}

function legend(render: (look: (typeof looks)[SlotState], state: SlotState) => string): string[] {
  return slotStates.map((state) => render(looks[state], state));
}

function chunksOf<T>(items: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, index) =>
    items.slice(index * length, (index + 1) * length),
  );
}

function startOf([first]: readonly Slot[]): Date {
  return new Date(first?.at ?? 0);
}

/** `Wed 01:20`, in UTC. */
export function dayAndTime(at: Date): string {
  return `${weekday(at)} ${time(at)}`;
}

function weekday(at: Date): string {
  return at.toUTCString().slice(0, 3);
}

function time(at: Date): string {
  return at.toISOString().slice(11, 16);
}
