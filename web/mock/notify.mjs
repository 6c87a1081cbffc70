// Notifications of the mock: there are none.  For development only.

const counts = { queued: 0, sending: 0, delivered: 0, dead: 0 };

export const routes = [
  ['GET', /^\/targets$/, () => ({ items: [] })],
  ['GET', /^\/messages$/, () => ({ items: [], next: null, counts })],
];
