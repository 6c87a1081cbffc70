// A map without tiles: sites as dots on a plane, north up, with a scale.  Pure.
//
// A degree of latitude has one length everywhere, one of longitude shrinks by the cosine of the latitude in the middle: on the
// area of one utility that is right to a pixel.

import type { Site } from './place_types';

const METRES_PER_DEG = 111_320;
/** A site alone has a map too: so far around it. */
const SPAN_MIN_M = 400;
/** Room around the outermost dots, of the width. */
const EDGE = 0.09;
const SCALE_PART = 0.28;
const DOT = { least: 4, most: 13 };

export interface Dot {
  site: Site;
  x: number;
  y: number;
  r: number;
}

export interface SiteMap {
  width: number;
  height: number;
  /** The largest first: a small one stays on top. */
  dots: Dot[];
  scale: { metres: number; length: number };
}

const placed = (site: Site): site is Site & { lat: number; lon: number } =>
  site.lat !== null && site.lon !== null;

/** The shorter way around the earth, in degrees. */
const turn = (degrees: number): number => ((((degrees + 180) % 360) + 360) % 360) - 180;

/** 1, 2 or 5 times a power of ten, at most `limit`. */
export function round(limit: number): number {
  const power = 10 ** Math.floor(Math.log10(limit));
  return (limit >= 5 * power ? 5 : limit >= 2 * power ? 2 : 1) * power;
}

/** Null where no site has a place. */
export function siteMap(sites: readonly Site[], width: number, height: number): SiteMap | null {
  const shown = sites.filter(placed);
  const first = shown[0];
  if (!first) return null;
  const middle = (values: number[]): number => (Math.min(...values) + Math.max(...values)) / 2;
  const lat0 = middle(shown.map(({ lat }) => lat));
  const metres = shown.map((site) => ({
    site,
    east: turn(site.lon - first.lon) * METRES_PER_DEG * Math.cos((lat0 * Math.PI) / 180),
    north: (site.lat - lat0) * METRES_PER_DEG,
  }));
  const east0 = middle(metres.map(({ east }) => east));
  const reach = (values: number[]): number => Math.max(SPAN_MIN_M, Math.max(...values) - Math.min(...values));
  const inner = (length: number): number => length * (1 - 2 * EDGE);
  const perMetre = Math.min(
    inner(width) / reach(metres.map(({ east }) => east)),
    inner(height) / reach(metres.map(({ north }) => north)),
  );
  const most = Math.max(...shown.map(({ meters }) => meters));
  const dots = metres.map(({ site, east, north }) => ({
    site,
    x: width / 2 + (east - east0) * perMetre,
    y: height / 2 - north * perMetre,
    r: DOT.least + (DOT.most - DOT.least) * Math.sqrt(site.meters / most),
  }));
  dots.sort((a, b) => b.r - a.r);
  const scale = round((width * SCALE_PART) / perMetre);
  return { width, height, dots, scale: { metres: scale, length: scale * perMetre } };
}

export interface Label {
  name: string;
  x: number;
  y: number;
  end: boolean;
}

const LETTER = { width: 6.3, height: 14 };

/** Names beside their dots, of the largest first; one that would lie on another is left out. */
export function labels(dots: readonly Dot[], width: number): Label[] {
  const taken: { x: number; y: number; length: number }[] = [];
  const found: Label[] = [];
  for (const { site, x, y, r } of dots) {
    const length = site.site.length * LETTER.width;
    const end = x + r + 5 + length > width;
    const at = end ? x - r - 5 - length : x + r + 5;
    const free = taken.every(
      (other) =>
        Math.abs(other.y - y) >= LETTER.height || at + length < other.x || other.x + other.length < at,
    );
    if (!free || at < 0) continue;
    taken.push({ x: at, y, length });
    found.push({ name: site.site, x: end ? at + length : at, y: y + 4, end });
  }
  return found;
}

type Point = Pick<Dot, 'x' | 'y'>;

/** The outline around points, as the path of a rubber band; one and two points have one too. */
export function outline(points: readonly Point[]): string {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  const turns = (o: Point, a: Point, b: Point): number =>
    (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
  const half = (along: Point[]): Point[] => {
    const hull: Point[] = [];
    for (const point of along) {
      let [before, last] = hull.slice(-2);
      while (before && last && turns(before, last, point) <= 0) {
        hull.pop();
        [before, last] = hull.slice(-2);
      }
      hull.push(point);
    }
    return hull.slice(0, -1);
  };
  const hull = [...half(sorted), ...half(sorted.reverse())];
  const around = hull.length ? hull : points.slice(0, 1);
  return around.length ? `M${around.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}Z` : '';
}
