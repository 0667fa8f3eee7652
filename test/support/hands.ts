/** The two ways in which a person works a page, for journeys: with the mouse alone and with the keyboard alone. */
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { tabTo } from './journey.ts';

/** Text that is longer is pasted, as people do with keys and certificates. */
const TYPED_MAX = 200;
const MOST_TABS = 200;
const MOST_ARROWS = 40;

export interface ChosenFile {
  readonly name: string;
  readonly text: string;
}

/** One way of working a page. No other is used: `watchHands` would tell. */
export interface Hand {
  readonly name: 'mouse' | 'keyboard';
  press(what: Locator): Promise<void>;
  tick(what: Locator): Promise<void>;
  type(what: Locator, text: string): Promise<void>;
  /** Chooses in a field that offers a list; `letters` are typed where it looks things up. */
  pick(what: Locator, option: string | RegExp, letters?: string): Promise<void>;
  /** Words of a list that take one field: written and kept. */
  add(what: Locator, word: string): Promise<void>;
  /** A day, `2026-11-22`. */
  day(what: Locator, day: string): Promise<void>;
  /** Opens a menu and chooses in it. */
  choose(menu: Locator, item: string | RegExp): Promise<void>;
  file(what: Locator, file: ChosenFile): Promise<void>;
  /** Closes what lies over the page, if anything does, and changes nothing. */
  close(page: Page): Promise<void>;
}

const optionOf = (what: Locator, option: string | RegExp): Locator =>
  what.page().getByRole('option', { name: option }).first();

export const MOUSE: Hand = {
  name: 'mouse',
  press: (what) => what.click(),
  tick: (what) => what.click(),
  async type(what, text) {
    await what.click();
    // Pasted or deleted from a menu: no key is pressed.
    if (text !== '') return await what.fill(text);
    await what.selectText();
    await what.evaluate(() => document.execCommand('delete'));
  },
  async pick(what, option, letters) {
    await what.click();
    if (letters !== undefined) await what.fill(letters);
    await optionOf(what, option).click();
  },
  async add(what, word) {
    await what.click();
    await what.fill(word);
    await what.page().getByRole('dialog').getByRole('heading').first().click();
  },
  async day(what, day) {
    await what.click();
    await what.fill(day);
  },
  async choose(menu, item) {
    await menu.click();
    await menu.page().getByRole('menuitem', { name: item }).click();
  },
  async file(what, file) {
    const [chooser] = await Promise.all([what.page().waitForEvent('filechooser'), what.click()]);
    await chooser.setFiles(asUpload(file));
  },
  async close(page) {
    const close = page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true });
    while ((await close.count()) > 0) {
      const before = await close.count();
      await close.last().click();
      await close.nth(before - 1).waitFor({ state: 'detached' });
    }
  },
};

export const KEYBOARD: Hand = {
  name: 'keyboard',
  async press(what) {
    await reach(what);
    await what.page().keyboard.press('Enter');
  },
  async tick(what) {
    await reach(what);
    await what.page().keyboard.press('Space');
  },
  async type(what, text) {
    await reach(what);
    const { keyboard } = what.page();
    await keyboard.press('Control+A');
    if (text === '') await keyboard.press('Delete');
    else if (text.length > TYPED_MAX) await keyboard.insertText(text);
    else await keyboard.type(text);
  },
  pick: pickByKeyboard,
  async add(what, word) {
    await reach(what);
    await what.page().keyboard.type(word);
    await what.page().keyboard.press('Enter');
  },
  async day(what, day) {
    await reach(what);
    // Chromium without a head shows the parts in this order, whatever the page's language.
    const [year = '', month = '', date = ''] = day.split('-');
    await what.page().keyboard.type(`${month}${date}${year}`);
  },
  async choose(menu, item) {
    await reach(menu);
    const page = menu.page();
    await page.keyboard.press('Enter');
    await onto(page.getByRole('menuitem', { name: item }), () => page.keyboard.press('ArrowDown'), MOST_ARROWS);
    await page.keyboard.press('Enter');
  },
  async file(what, file) {
    await reach(what);
    const page = what.page();
    const chooser = page.waitForEvent('filechooser');
    // The browser is told to hand the choice to us before the key comes.
    await page.evaluate(() => undefined);
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(asUpload(file));
  },
  async close(page) {
    const dialog = page.getByRole('dialog');
    for (let open = await dialog.count(); open > 0; open = await dialog.count()) {
      await page.keyboard.press('Escape');
      await dialog.nth(open - 1).waitFor({ state: 'detached' });
    }
  },
};

export const HANDS: readonly Hand[] = [MOUSE, KEYBOARD];

const asUpload = ({ name, text }: ChosenFile) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });

async function pickByKeyboard(what: Locator, option: string | RegExp, letters?: string): Promise<void> {
  await reach(what);
  const page = what.page();
  if (letters === undefined) await page.keyboard.press('ArrowDown');
  else {
    await page.keyboard.press('Control+A');
    await page.keyboard.type(letters);
  }
  const wanted = optionOf(what, option);
  await wanted.waitFor();
  const chosen = async (): Promise<boolean> => (await wanted.getAttribute('data-combobox-selected')) !== null;
  for (let pressed = 0; !(await chosen()); pressed++) {
    if (pressed > MOST_ARROWS) throw new Error(`${String(option)} was not reached with the arrow keys`);
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
}

/** Goes there with the tabulator, and sees where it is: the focus is shown, on the screen, and nothing lies over it. */
async function reach(what: Locator): Promise<void> {
  const page = what.page();
  await what.waitFor();
  // A dialog takes the focus when it opens; nobody types before.
  await what.evaluate(focusIsNear);
  const likely = await what.evaluate(stepsFromFocus);
  for (let step = 0; step < likely; step++) await page.keyboard.press('Tab');
  await tabTo(page, what, MOST_TABS);
  const seen = await what.evaluate((element) => {
    const box = element.getBoundingClientRect();
    const x = Math.min(Math.max(box.x + box.width / 2, 0), window.innerWidth - 1);
    const y = Math.min(Math.max(box.y + box.height / 2, 0), window.innerHeight - 1);
    const top = document.elementFromPoint(x, y);
    const own = top !== null && (element.contains(top) || top.contains(element) || top.closest('label') !== null);
    return {
      shown: element.matches(':focus-visible'),
      onScreen: box.bottom > 0 && box.top < window.innerHeight && box.right > 0 && box.left < window.innerWidth,
      own,
    };
  });
  if (!seen.shown || !seen.onScreen || !seen.own) {
    throw new Error(`The focus at ${String(what)} cannot be seen: ${JSON.stringify(seen)}`);
  }
}

/** Waits until the dialog in which the element is has the focus. Runs in the page. */
async function focusIsNear(element: Element): Promise<void> {
  const dialog = element.closest('[role="dialog"]');
  const until = Date.now() + 10_000;
  while (dialog !== null && !dialog.contains(document.activeElement)) {
    if (Date.now() > until) throw new Error('The dialog has not taken the focus');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** How often Tab is likely to be pressed until the focus is here, so that not every step has to be looked at. Runs in the page. */
function stepsFromFocus(element: Element): number {
  const within = element.closest('[role="dialog"]') ?? document;
  const stops = [
    ...within.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary, [tabindex="0"]'),
  ].filter((one) => one.tabIndex >= 0 && !one.matches(':disabled') && one.checkVisibility());
  const from = stops.findIndex((one) => one === document.activeElement);
  const to = stops.findIndex((one) => one === element);
  return from < 0 || to <= from ? 0 : to - from;
}

async function onto(what: Locator, press: () => Promise<void>, most: number): Promise<void> {
  await what.waitFor();
  for (let pressed = 0; pressed <= most; pressed++) {
    if (await what.evaluate((element) => element === document.activeElement)) return;
    await press();
  }
  throw new Error(`${String(what)} was not reached with ${most} keys`);
}

export interface Watched {
  /** What was used since it was last asked, on any page of the context: `mouse: pointerdown`, `keyboard: Enter`. */
  used(): Promise<readonly string[]>;
}

/** Notes of every page of the context whether a mouse or a key was pressed in it. Before its first page is opened. */
export async function watchHands(context: BrowserContext): Promise<Watched> {
  let seen: string[] = [];
  await context.exposeBinding('handUsed', (_source, what: string) => void seen.push(what));
  await context.addInitScript(() => {
    const told = window as unknown as { handUsed(what: string): Promise<void> };
    for (const type of ['pointerdown', 'wheel', 'touchstart'])
      addEventListener(type, (event) => event.isTrusted && void told.handUsed(`mouse: ${type}`), {
        capture: true,
        passive: true,
      });
    addEventListener('keydown', (event) => event.isTrusted && void told.handUsed(`keyboard: ${event.key}`), {
      capture: true,
    });
  });
  return {
    async used() {
      // What the pages have called before this is answered has arrived.
      for (const page of context.pages()) await page.evaluate(() => undefined);
      const answer = seen;
      seen = [];
      return answer;
    },
  };
}
