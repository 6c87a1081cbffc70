// The server's clock: a demo world may stand elsewhere than the browser.  All "ago" on screens is counted from here.

let now_s = $state(Math.floor(Date.now() / 1000));
let offset_s = 0;
let known = $state(false);
let zone = $state('UTC');

const TICK_MS = 5000;

export const clock = {
  get now_s() {
    return now_s;
  },
  /** The zone of the fleet, for screens that show many sites. */
  get zone() {
    return zone;
  },
  /** Whether the server has said its time yet. */
  get known() {
    return known;
  },
};

function tick(): void {
  now_s = Math.floor(Date.now() / 1000) + offset_s;
}

/** The server said its time and zone. */
export function setClock(server_s: number, fleetZone: string): void {
  offset_s = server_s - Math.floor(Date.now() / 1000);
  zone = fleetZone;
  known = true;
  tick();
}

/** Something happened at `at_s`: the server's clock cannot stand before it. */
export function notBefore(at_s: number | null): void {
  if (at_s === null || at_s <= now_s) return;
  offset_s += at_s - now_s;
  tick();
}

export function run(): () => void {
  const timer = setInterval(tick, TICK_MS);
  return () => clearInterval(timer);
}
