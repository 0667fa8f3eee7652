import { utf8Decode } from '../kernel/bytes.ts';
import type { DoorOptions } from '../platform/http/index.ts';

type Site = NonNullable<DoorOptions['site']>;

/** Marks every page of a trial installation (`--dev`): the application shows a stripe when its root element says so. */
export function trialSite(site: Site): Site {
  return {
    find(path, acceptEncoding) {
      const answer = site.find(path, acceptEncoding);
      if (answer === undefined || !isPage(answer.headers)) return answer;
      return { ...answer, body: Buffer.from(utf8Decode(answer.body).replace('<html ', '<html data-trial ')) };
    },
  };
}

function isPage(headers: Readonly<Record<string, unknown>>): boolean {
  return (
    String(headers['content-type']).startsWith('text/html') &&
    headers['content-encoding'] === undefined &&
    headers['content-disposition'] === undefined
  );
}
