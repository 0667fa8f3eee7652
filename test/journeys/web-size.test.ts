import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FIRST_SCREEN_BYTES_MAX, PAGE_BYTES_MAX, readWebSizes } from '../../scripts/web-sizes.ts';

describe('the built pages', () => {
  const sizes = readWebSizes('dist/web-chunks.json');

  it('keep to their budgets', () => {
    expect(sizes.firstScreenBytes).toBeLessThanOrEqual(FIRST_SCREEN_BYTES_MAX);
    expect(sizes.pages.filter((page) => page.bytes > PAGE_BYTES_MAX)).toEqual([]);
    // Guards the measurement itself: a page that stopped being lazy would vanish from the list.
    expect(sizes.pages.length).toBeGreaterThanOrEqual(13);
  });

  it('have neither source maps, nor inline scripts or styles, nor anything from elsewhere', () => {
    const files = readdirSync('dist/web', { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.endsWith('.map'))).toEqual([]);
    const assets = files.filter((file) => file.startsWith('assets/'));
    expect(assets.filter((file) => !/-[A-Za-z0-9_-]{8}\.[a-z]+$/.test(file))).toEqual([]);
    const html = readFileSync('dist/web/index.html', 'utf8');
    expect(html).not.toMatch(/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=/);
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});
