/**
 * Takes a picture of every page, at desktop and phone width, in light and dark.
 *
 *     npm start                                        in one terminal
 *     node examples/inventory/web/screenshots.mjs      in another
 *
 * Arguments: the address (default http://127.0.0.1:3000) and the folder for the pictures (default
 * .build/screenshots). CHROMIUM names the browser (default /usr/bin/chromium). It edits a product,
 * deletes it and restores it.
 */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

const url = process.argv[2] ?? 'http://127.0.0.1:3000';
const folder = process.argv[3] ?? fileURLToPath(new URL('../../../.build/screenshots', import.meta.url));
const looks = [
  {name: 'desktop-light', viewport: {width: 1280, height: 860}, colorScheme: 'light'},
  {name: 'desktop-dark', viewport: {width: 1280, height: 860}, colorScheme: 'dark'},
  {name: 'phone-light', viewport: {width: 390, height: 844}, colorScheme: 'light', isMobile: true, hasTouch: true},
  {name: 'phone-dark', viewport: {width: 390, height: 844}, colorScheme: 'dark', isMobile: true, hasTouch: true},
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run',
  ],
});
await mkdir(folder, {recursive: true});
try {
  for (const look of looks) await takeAll(look);
} finally {
  await browser.close();
}
console.log(`The pictures are in ${folder}`);

async function takeAll({name, ...look}) {
  const mine = await open('ada', look, page => picture(page, 'sign-in'));
  const theirs = await open('ben', look);
  const {page} = mine;
  await page.getByTestId('low-count').first().waitFor();
  await picture(page, 'categories');

  await page.getByTestId('category').filter({hasText: 'Phones'}).click();
  await page.getByTestId('product-row').first().waitFor();
  await picture(page, 'category');
  const id = await page.getByTestId('product-row').nth(1).getAttribute('data-id');

  await page.getByTestId('nav-low-stock').click();
  await page.getByTestId('threshold').fill('40');
  await page.getByTestId('product-row').nth(3).waitFor();
  await picture(page, 'low-stock');
  await page.getByTestId('low-stock-category').selectOption({label: 'Copiers'});
  await page.getByTestId('threshold').fill('0');
  await page.getByText('Nothing runs low here').waitFor();
  await picture(page, 'nothing-low');

  await page.goto(`${url}/#/products/${id}`);
  await theirs.page.goto(`${url}/#/products/${id}`);
  const price = await page.getByTestId('edit-price').innerText();
  const before = Number(price.replace(/[^\d.]/g, ''));
  await edit(theirs.page, 'price', (before + 5).toFixed(2));
  await edit(theirs.page, 'desc', 'Unlocked, with charger and cable. A spare battery is in the box.');
  await page.getByTestId('history-entry').nth(1).waitFor();
  await picture(page, 'product');

  await page.getByTestId('edit-price').click();
  await edit(theirs.page, 'price', (before + 2).toFixed(2));
  await page.getByText('Meanwhile somebody set it').waitFor();
  await picture(page, 'product-editing');
  await page.getByTestId('input-price').fill(before.toFixed(2));
  await page.keyboard.press('Enter');
  await page.getByTestId('conflict').waitFor();
  await picture(page, 'conflict');
  await page.getByTestId('keep-mine').click();
  await page.getByTestId('conflict').waitFor({state: 'detached'});

  await page.getByTestId('delete').click();
  await page.getByTestId('delete-confirm').click();
  await page.getByTestId('deleted').waitFor();
  await picture(page, 'product-deleted');
  await page.goto(`${url}/#/categories/phones`);
  await page.getByTestId('deleted-products').locator('summary').click();
  await page.getByTestId('deleted-product').first().waitFor();
  await page.getByTestId('deleted-products').scrollIntoViewIfNeeded();
  await picture(page, 'deleted-products');
  await page.getByTestId('restore').first().click();
  await page.getByTestId('deleted-product').waitFor({state: 'detached'});
  await page.getByTestId('add-product').click();
  await page.getByTestId('new-name').waitFor();
  await picture(page, 'new-product');
  await page.keyboard.press('Escape');
  await page.goto(`${url}/#/nowhere`);
  await picture(page, 'nowhere');
  await page.goto(`${url}/#/products/${id}`);
  await page.getByTestId('history-entry').first().waitFor();

  await page.getByTestId('account').click();
  await picture(page, 'account');
  await page.getByTestId('account').click();
  await mine.context.setOffline(true);
  await page.getByTestId('connection-banner').waitFor();
  await picture(page, 'offline');
  await Promise.all([mine.context.close(), theirs.context.close()]);

  async function picture(page, what) {
    // Nothing is hovered over, and the animations of what has just changed run out.
    await page.mouse.move(0, 0);
    await page.waitForTimeout(2600);
    await page.screenshot({path: join(folder, `${what}-${name}.png`)});
  }
}

async function open(person, look, before = async () => undefined) {
  const context = await browser.newContext({...look, locale: 'en-US'});
  const page = await context.newPage();
  page.on('pageerror', error => console.error(`${person}: ${error.message}`));
  await page.goto(url);
  const button = page.getByTestId(`sign-in-as-${person}`);
  await button.waitFor();
  await before(page);
  await button.click();
  await page.getByTestId('category').first().waitFor();
  return {context, page};
}

async function edit(page, field, value) {
  await page.getByTestId(`edit-${field}`).click();
  await page.getByTestId(`input-${field}`).fill(value);
  await page.keyboard.press(field === 'desc' ? 'Control+Enter' : 'Enter');
  await page.getByTestId(`edit-${field}`).waitFor();
}
