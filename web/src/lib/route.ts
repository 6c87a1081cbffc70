// The addresses of the portal: what stands after `#`.  Pure; `router.svelte.ts` listens to the browser.

export type Route =
  | { page: 'fleet' }
  | { page: 'meters' }
  | { page: 'meter'; id: string }
  | { page: 'campaigns' }
  | { page: 'campaign'; id: string }
  | { page: 'groups' }
  | { page: 'blocks' }
  | { page: 'block'; id: string }
  | { page: 'configurations' }
  | { page: 'configuration'; id: string }
  | { page: 'alarms' }
  | { page: 'gateways' }
  | { page: 'completeness' }
  | { page: 'notifications' }
  | { page: 'model'; id: string }
  | { page: 'bills' }
  | { page: 'bill'; id: string }
  | { page: 'login' }
  | { page: 'nowhere' };

export interface Place {
  route: Route;
  query: URLSearchParams;
}

const PAGES: Record<string, (id: string | undefined) => Route> = {
  '': (id) => (id === undefined ? { page: 'fleet' } : { page: 'nowhere' }),
  fleet: (id) => (id === undefined ? { page: 'fleet' } : { page: 'nowhere' }),
  login: (id) => (id === undefined ? { page: 'login' } : { page: 'nowhere' }),
  meters: (id) => (id ? { page: 'meter', id } : { page: 'meters' }),
  campaigns: (id) => (id ? { page: 'campaign', id } : { page: 'campaigns' }),
  configuration: (id) => (id ? { page: 'configuration', id } : { page: 'configurations' }),
  blocks: (id) => (id ? { page: 'block', id } : { page: 'blocks' }),
  groups: (id) => (id === undefined ? { page: 'groups' } : { page: 'nowhere' }),
  alarms: (id) => (id === undefined ? { page: 'alarms' } : { page: 'nowhere' }),
  notifications: (id) => (id === undefined ? { page: 'notifications' } : { page: 'nowhere' }),
  completeness: (id) => (id === undefined ? { page: 'completeness' } : { page: 'nowhere' }),
  gateways: (id) => (id === undefined ? { page: 'gateways' } : { page: 'nowhere' }),
  models: (id) => (id ? { page: 'model', id } : { page: 'nowhere' }),
  bills: (id) => (id ? { page: 'bill', id } : { page: 'bills' }),
};

function decoded(part: string | undefined): string | undefined {
  try {
    return part === undefined ? undefined : decodeURIComponent(part);
  } catch {
    return '';
  }
}

export function parse(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [head = '', id, ...rest] = path.split('/');
  const page = Object.hasOwn(PAGES, head) && rest.length === 0 ? PAGES[head] : undefined;
  return { route: page?.(decoded(id)) ?? { page: 'nowhere' }, query: new URLSearchParams(query) };
}

/** `href('meters', 7, {range: 'week'})` -> `#/meters/7?range=week`; empty values are left out. */
export function href(page: string, id?: string | number, query: Record<string, string> = {}): string {
  const kept = Object.entries(query).filter(([, value]) => value !== '');
  const tail = kept.length ? `?${new URLSearchParams(kept).toString()}` : '';
  return `#/${page}${id === undefined ? '' : `/${encodeURIComponent(String(id))}`}${tail}`;
}

/** The same address with parts of its query changed; an empty value takes a part out. */
export function withQuery(hash: string, changes: Record<string, string>): string {
  const [path = '', before = ''] = hash.split('?', 2);
  const query = new URLSearchParams(before);
  for (const [key, value] of Object.entries(changes)) {
    if (value) query.set(key, value);
    else query.delete(key);
  }
  const text = query.toString();
  return `${path || '#/'}${text ? `?${text}` : ''}`;
}
