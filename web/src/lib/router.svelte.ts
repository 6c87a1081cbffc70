import { parse, withQuery, type Place } from './route';

let place = $state.raw<Place>(parse(location.hash));

export const router = {
  get route() {
    return place.route;
  },
  get query() {
    return place.query;
  },
};

/** Follow the address; gives back what stops it. */
export function follow(): () => void {
  const moved = (): void => {
    const before = place.route;
    place = parse(location.hash);
    if (JSON.stringify(before) !== JSON.stringify(place.route)) window.scrollTo(0, 0);
  };
  window.addEventListener('hashchange', moved);
  return () => window.removeEventListener('hashchange', moved);
}

export function go(hash: string): void {
  location.hash = hash;
}

/** Change the query in place: no new entry in the history, no reload of the page. */
export function setQuery(changes: Record<string, string>): void {
  history.replaceState(null, '', withQuery(location.hash, changes));
  place = parse(location.hash);
}
