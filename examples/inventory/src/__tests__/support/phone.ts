import {strict as assert} from 'node:assert';
import type {BrowserContextOptions} from 'playwright-core';
import type {Visitor} from './visitor';

const WIDTH = 390;

export const DARK_PHONE: BrowserContextOptions = {
  viewport: {width: WIDTH, height: 844},
  colorScheme: 'dark',
  isMobile: true,
  hasTouch: true,
};

/** What reaches over the edge of the screen; runs in the browser. */
const TOO_WIDE = `[...document.querySelectorAll('body *')]
  .filter(element => !element.closest('.visually-hidden, .skip'))
  .filter(element => {
    const {left, right, width} = element.getBoundingClientRect();
    return width > 0 && (left < -0.5 || right > ${WIDTH} + 0.5);
  })
  .map(element => element.outerHTML.slice(0, 120))`;

/** Asserts that nothing reaches over the edge, and that the controls can be pressed. */
export async function assertFits(visitor: Visitor, ...controls: string[]): Promise<void> {
  const {page} = visitor;
  assert.deepEqual(await page.evaluate(TOO_WIDE), [], `too wide at ${page.url()}`);
  const widths = '[innerWidth, document.documentElement.scrollWidth, document.body.scrollWidth]';
  assert.deepEqual(await page.evaluate(widths), [WIDTH, WIDTH, WIDTH], `at ${page.url()}`);
  // A trial brings it into sight, and fails when something else would get the press.
  for (const control of controls) await visitor.see(control).first().click({trial: true});
}

/** Asserts that the page is light on dark. */
export async function assertDark({page}: Visitor): Promise<void> {
  const colour = (of: string) => page.evaluate<string>(`getComputedStyle(document.body).${of}`);
  const [text, ground] = [await colour('color'), await colour('backgroundColor')];
  assert.ok(brightness(ground) < 60 && brightness(text) > 180, `${text} on ${ground}`);
}

/** Of `rgb(12, 34, 56)`: from 0 to 255. */
function brightness(colour: string): number {
  const parts = (colour.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  return parts.reduce((sum, part) => sum + part, 0) / 3;
}
