/** Which places somebody has looked at in this browser: for the steps of the first hour. Holds names of pages, nothing of clients. */

const VISITED = ['/reviews', '/audit'] as const;
export type VisitedPlace = (typeof VISITED)[number];

const key = (userId: string, place: VisitedPlace): string => `careseal-visited:${userId}:${place}`;

export function rememberVisit(userId: string, pathname: string): void {
  const place = VISITED.find((known) => pathname === known || pathname.startsWith(`${known}/`));
  if (place !== undefined) localStorage.setItem(key(userId, place), 'yes');
}

export function hasVisited(userId: string, place: VisitedPlace): boolean {
  return localStorage.getItem(key(userId, place)) === 'yes';
}
