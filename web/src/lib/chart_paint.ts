// What a profile chart draws on its canvas besides bars.

import uPlot from 'uplot';
import { hatch } from './hatch';
import type { Bar } from './profile';

/** The strip at the top of a bar of which only a part is missing, in CSS pixels. */
const STRIP = 7;

export interface Paint {
  import: string;
  export: string;
  missing: string;
  grid: string;
  axis: string;
  text: string;
  now: string;
  font: string;
}

/** The colours and the font of the page, as the canvas needs them. */
export function paint(element: HTMLElement): Paint {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    import: of('--import'),
    export: of('--export'),
    missing: of('--missing'),
    grid: of('--line'),
    axis: of('--line-strong'),
    text: of('--ink-3'),
    now: of('--brand'),
    font: `11px ${style.fontFamily}`,
  };
}

/** Grey hatching over what is missing: the whole height, or a strip at the top where only a part of a bar is. */
export function missingBands(bars: Bar[], colour: Paint) {
  return (chart: uPlot): void => {
    const { ctx, bbox } = chart;
    const pattern = hatch(colour.missing, 0.1, uPlot.pxRatio);
    ctx.save();
    ctx.fillStyle = pattern;
    for (const bar of bars) {
      if (bar.missing === 0) continue;
      const left = Math.max(bbox.left, chart.valToPos(bar.start_s, 'x', true));
      const right = Math.min(bbox.left + bbox.width, chart.valToPos(bar.end_s, 'x', true));
      const whole = bar.import_wh === null && bar.export_wh === null;
      ctx.fillRect(left, bbox.top, right - left, whole ? bbox.height : STRIP * uPlot.pxRatio);
    }
    ctx.restore();
  };
}

/** The axis between import and export, and now. */
export function lines(now_s: number | null, colour: Paint) {
  return (chart: uPlot): void => {
    const { ctx, bbox } = chart;
    const zero = Math.round(chart.valToPos(0, 'y', true));
    ctx.save();
    ctx.lineWidth = uPlot.pxRatio;
    ctx.strokeStyle = colour.axis;
    ctx.beginPath();
    ctx.moveTo(bbox.left, zero + 0.5);
    ctx.lineTo(bbox.left + bbox.width, zero + 0.5);
    ctx.stroke();
    if (
      now_s !== null &&
      now_s > (chart.scales['x']?.min ?? Infinity) &&
      now_s < (chart.scales['x']?.max ?? 0)
    ) {
      const at = Math.round(chart.valToPos(now_s, 'x', true)) + 0.5;
      ctx.strokeStyle = colour.now;
      ctx.setLineDash([3 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };
}
