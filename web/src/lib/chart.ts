// A profile chart on uPlot: import above the axis, export below, estimated parts hatched, missing bands hatched in grey.

import uPlot from 'uplot';
import { lines, missingBands, paint, type Paint } from './chart_paint';
import { hatch } from './hatch';
import { decimal } from './number';
import type { Bar } from './profile';
import type { Ratio } from './ratio';
import { dateTime, dayName, time } from './time';
import type { Lang } from './types';
import { localDay, localTime } from './zone';

export interface ChartModel {
  bars: Bar[];
  /** Wh of one unit of the axis. */
  unit_wh: number;
  zone: string;
  lang: Lang;
  /** A line at this instant: now. */
  now_s: number | null;
}

const HEIGHT = 260;
const HEIGHT_NARROW = 220;
const NARROW = 480;
const DAY_S = 86_400;

/** From here on an axis counts MWh. */
const MEGA_WH = 10_000_000;

/** Whether an axis counts primary kWh or MWh, and the secondary Wh of one. */
export function axisUnit(bars: Bar[], [upper, lower]: Ratio): { name: string; wh: number } {
  const factor = upper / lower;
  const top = Math.max(0, ...bars.map((bar) => Math.max(bar.import_wh ?? 0, bar.export_wh ?? 0))) * factor;
  return top >= MEGA_WH ? { name: 'MWh', wh: 1_000_000 / factor } : { name: 'kWh', wh: 1000 / factor };
}

/**
 * Columns for uPlot: x; import where a part of it is estimated; measured import, drawn over it; both for export as negatives.
 */
function columns({ bars, unit_wh }: ChartModel): uPlot.AlignedData {
  const above = (value: number | null): number | null => (value === null ? null : value / unit_wh);
  const below = (value: number | null): number | null => (value ? -value / unit_wh : null);
  return [
    bars.map((bar) => bar.start_s),
    bars.map((bar) => (bar.estimated_import_wh ? above(bar.import_wh) : null)),
    bars.map((bar) => above(bar.import_wh === null ? null : bar.import_wh - bar.estimated_import_wh)),
    bars.map((bar) => (bar.estimated_export_wh ? below(bar.export_wh) : null)),
    bars.map((bar) => below(bar.export_wh === null ? null : bar.export_wh - bar.estimated_export_wh)),
  ];
}

function xLabels({ zone, lang }: ChartModel, splits: number[], step: number): string[] {
  return splits.map((at) => {
    const { hour, minute } = localTime(at, zone);
    if (step < DAY_S && (hour || minute)) return time(at, zone, lang);
    return dayName(localDay(at, zone), lang, { day: 'numeric', month: 'short' });
  });
}

function yRange(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  const top = Math.max(high ?? 0, 0);
  const bottom = Math.min(low ?? 0, 0);
  if (top === 0 && bottom === 0) return [0, 1];
  return [bottom * 1.12, top * 1.12 || -bottom * 0.15];
}

function yLabels(lang: Lang, splits: number[]): string[] {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0));
  const decimals = [0, 1, 2].find((each) => Number.isInteger(Number((step * 10 ** each).toFixed(6)))) ?? 3;
  // Below the axis is export: its amounts are amounts, not negative energies.
  return splits.map((value) => decimal(Math.abs(value), decimals, lang));
}

/** uPlot's own index is the nearest start; a bar reaches to the right of its start. */
function barAt(chart: uPlot, bars: Bar[]): number | null {
  const left = chart.cursor.left ?? -1;
  if (left < 0) return null;
  const at = chart.posToVal(left, 'x');
  const index = bars.findLastIndex((bar) => bar.start_s <= at);
  return index < 0 ? null : index;
}

function options(
  model: () => ChartModel,
  colour: Paint,
  width: number,
  hover: (index: number | null) => void,
) {
  const bar = uPlot.paths.bars?.({ align: 1, size: [1, Infinity], gap: 1 });
  const series = (fill: string | CanvasPattern): uPlot.Series => ({
    ...(bar ? { paths: bar } : {}),
    points: { show: false },
    width: 0,
    fill: () => fill,
  });
  const { bars, zone, lang } = model();
  const from = bars[0]?.start_s ?? 0;
  const to = bars.at(-1)?.end_s ?? 1;
  const axis = { stroke: colour.text, font: colour.font };
  const made: uPlot.Options = {
    width,
    height: width < NARROW ? HEIGHT_NARROW : HEIGHT,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { range: () => [from, to] }, y: { range: yRange } },
    axes: [
      {
        ...axis,
        size: 30,
        space: width < NARROW ? 56 : 64,
        grid: { show: false },
        ticks: { stroke: colour.grid, width: 1, size: 5 },
        values: (_, splits, __, ___, step) => xLabels(model(), splits, step),
      },
      {
        ...axis,
        size: 48,
        space: 34,
        grid: { stroke: colour.grid, width: 1 },
        ticks: { show: false },
        values: (_, splits) => yLabels(lang, splits),
      },
    ],
    series: [
      {},
      series(hatch(colour.import, 0.18, uPlot.pxRatio)),
      series(colour.import),
      series(hatch(colour.export, 0.18, uPlot.pxRatio)),
      series(colour.export),
    ],
    hooks: {
      drawClear: [missingBands(bars, colour)],
      draw: [lines(model().now_s, colour)],
      setCursor: [(chart) => hover(barAt(chart, model().bars))],
    },
  };
  return made;
}

export interface ProfileChart {
  /** Put the cursor on a bar, or take it away. */
  point: (index: number | null) => void;
  destroy: () => void;
}

/** Draw the model into `element` and keep its width.  Draw anew for a new model: it takes a few milliseconds. */
export function profileChart(
  element: HTMLElement,
  model: ChartModel,
  hover: (index: number | null) => void,
): ProfileChart {
  const read = (): ChartModel => model;
  const width = Math.max(element.clientWidth, 200);
  const chart = new uPlot(options(read, paint(element), width, hover), columns(model), element);
  const observer = new ResizeObserver(() => {
    const wide = Math.max(element.clientWidth, 200);
    if (wide !== chart.width) chart.setSize({ width: wide, height: wide < NARROW ? HEIGHT_NARROW : HEIGHT });
  });
  observer.observe(element);
  return {
    point: (index) => {
      const bar = index === null ? undefined : model.bars[index];
      if (!bar) chart.setCursor({ left: -10, top: -10 });
      else chart.setCursor({ left: chart.valToPos((bar.start_s + bar.end_s) / 2, 'x'), top: 10 });
    },
    destroy: () => {
      observer.disconnect();
      chart.destroy();
    },
  };
}

/** `3 Nov 2026 14:00–14:15`, or the day alone where a bar is one. */
export function barName(bar: Bar, zone: string, lang: Lang): string {
  if (bar.end_s - bar.start_s >= DAY_S - 3600) {
    return dayName(localDay(bar.start_s, zone), lang, { weekday: 'long', day: 'numeric', month: 'long' });
  }
  return `${dateTime(bar.start_s, zone, lang)}–${time(bar.end_s, zone, lang)}`;
}
