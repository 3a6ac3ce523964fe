/**
 * Takes the pictures of the README, docs/inventory.png and docs/inventory-phone.png: somebody
 * renames a product, and two others see its row move.
 *
 *     npm start                                           in one terminal
 *     node examples/inventory/web/readme-pictures.mjs     in another
 *
 * Arguments: the address (default http://127.0.0.1:3000) and the folder (default docs). CHROMIUM
 * names the browser (default /usr/bin/chromium).
 */
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

const url = process.argv[2] ?? 'http://127.0.0.1:3000';
const folder = process.argv[3] ?? fileURLToPath(new URL('../../../docs', import.meta.url));
const before = 'Canon PC940 Copier';
const after = 'Canon Image Class PC940 Copier';

const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium'});
try {
  const wide = await open('ada', {viewport: {width: 1200, height: 800}, colorScheme: 'light'});
  const phone = {viewport: {width: 390, height: 844}, isMobile: true, hasTouch: true};
  const small = await open('cleo', {...phone, colorScheme: 'light'});
  const watching = [wide, small];
  for (const page of watching) await show(page, '/categories/copiers?size=25');
  const other = await open('ben', {viewport: {width: 1280, height: 860}});
  await rename(other, before, after);
  const pictures = await Promise.all(watching.map(pictureOfTheChange));
  await compose(join(folder, 'inventory.png'), ...pictures);

  const dark = await open('ada', {...phone, colorScheme: 'dark'});
  await show(dark, '/categories/copiers?size=25');
  await dark.getByRole('link', {name: after}).click();
  await dark.getByTestId('history-entry').first().waitFor();
  await dark.screenshot({path: join(folder, 'inventory-phone.png')});
  await rename(other, after, before);
  console.log(`The pictures are in ${folder}`);
} finally {
  await browser.close();
}

async function open(person, look) {
  const context = await browser.newContext({...look, locale: 'en-US', deviceScaleFactor: 1.5});
  const page = await context.newPage();
  await page.goto(url);
  await page.getByTestId(`sign-in-as-${person}`).click();
  await page.getByTestId('category').first().waitFor();
  return page;
}

async function show(page, place) {
  await page.goto(`${url}/#${place}`);
  await page.getByTestId('product-row').first().waitFor();
}

async function rename(page, from, to) {
  await show(page, '/categories/copiers?size=25');
  await page.getByRole('link', {name: from}).click();
  await page.getByTestId('edit-name').click();
  await page.getByTestId('input-name').fill(to);
  await page.keyboard.press('Enter');
  await page.getByTestId('edit-name').waitFor();
}

/** The page just after the row has arrived at its new place, while it is still lit up. */
async function pictureOfTheChange(page) {
  await page.mouse.move(0, 0);
  const row = page.locator('.flash-row').filter({hasText: after});
  await row.waitFor();
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) {
      animation.pause();
      animation.currentTime = 430;
    }
  });
  return (await page.screenshot()).toString('base64');
}

/** A desktop window with a phone before it. */
async function compose(path, desktop, phone) {
  const page = await browser.newPage({viewport: {width: 1280, height: 722}});
  const image = (name, data) => `<img class="${name}" src="data:image/png;base64,${data}">`;
  await page.setContent(`
    <style>
      body { margin: 0; }
      figure { position: relative; width: 1280px; height: 722px; margin: 0; background: #dfe7e4; }
      img { position: absolute; box-shadow: 0 1rem 3rem rgb(16 32 28 / 22%); }
      .desktop { left: 24px; top: 24px; width: 1010px; border-radius: 10px; }
      .phone { right: 26px; bottom: 30px; width: 258px; border-radius: 20px; outline: 6px solid #15201d; }
    </style>
    <figure>${image('desktop', desktop)}${image('phone', phone)}</figure>`);
  await page.locator('figure').screenshot({path});
  await page.close();
}
