import {strict as assert} from 'node:assert';
import type {Browser, BrowserContextOptions, Locator, Page} from 'playwright-core';

/** What the page shows of its products, a line each; runs in the browser. */
const SHOWN = `[...document.querySelectorAll('[data-testid=product-row]')].map(row =>
  ['name', 'qty', 'price']
    .map(part => row.querySelector('[data-testid=' + part + ']')?.textContent.trim())
    .join(' | '))`;

/** Keeps every text that the page shows; an observer is told before the next change is made. */
const RECORD = `
  window.everShown = [document.body.textContent];
  new MutationObserver(() => window.everShown.push(document.body.textContent))
    .observe(document.body, {subtree: true, childList: true, characterData: true});`;

/** Somebody with a browser window: what they see, all that their browser is sent, what it logs. */
export class Visitor {
  /** Errors on the console, or thrown by the page's own code. */
  readonly complaints: string[] = [];
  private readonly frames: string[] = [];
  private readonly answers: Promise<string>[] = [];

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(20_000);
    page.on('pageerror', error => this.complaints.push(error.message));
    page.on('console', message => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('websocket', socket => {
      socket.on('framereceived', ({payload}) => this.frames.push(`${payload}`));
    });
    page.on('response', response => {
      if (!['fetch', 'xhr'].includes(response.request().resourceType())) return;
      this.answers.push(response.text().catch(() => ''));
    });
  }

  /** Opens the page at `address` in a window of its own, with nobody signed in. */
  static async arrive(
    browser: Browser,
    address: string,
    look: BrowserContextOptions = {viewport: {width: 1280, height: 900}},
  ): Promise<Visitor> {
    const context = await browser.newContext({locale: 'en-US', ...look});
    const visitor = new Visitor(await context.newPage());
    await visitor.page.goto(address);
    return visitor;
  }

  async signIn(username: string): Promise<void> {
    await this.see(`sign-in-as-${username}`).click();
    await this.see('category').first().waitFor();
  }

  /** Opens the page anew with a session from elsewhere, as a tab that was left open has it. */
  async comeBack(session: {token: string; user: object}): Promise<void> {
    const kept = JSON.stringify(JSON.stringify({state: 'signedIn', ...session}));
    await this.page.evaluate(`sessionStorage.setItem('inventory.session', ${kept})`);
    await this.page.reload();
    await this.see('category').first().waitFor();
  }

  /** Goes to a place of the page, such as `/categories/paper`, as a link does. */
  async go(place: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(place)}`);
  }

  see(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  row(id: string): Locator {
    return this.page.locator(`[data-testid=product-row][data-id="${id}"]`);
  }

  /** Waits until these products, and no others, are shown in this order. */
  async shows(rows: readonly string[]): Promise<void> {
    const wanted = JSON.stringify(JSON.stringify(rows));
    // A text of code is an expression here: as a function it would be true at once.
    await this.page
      .waitForFunction(`JSON.stringify(${SHOWN}) === ${wanted}`)
      .catch(async () => assert.deepEqual(await this.page.evaluate(SHOWN), rows));
  }

  /** Waits until an element says this, and nothing else. */
  async reads(testId: string, text: string): Promise<void> {
    const found = this.see(testId).first();
    const saysSo = found.filter({hasText: new RegExp(`^\\s*${escape(text)}\\s*$`)});
    await saysSo.waitFor().catch(async () => {
      assert.equal((await found.innerText()).trim(), text);
    });
  }

  /** Changes a field of the product that is open, and waits until it is saved. */
  async edit(field: string, value: string): Promise<void> {
    await this.see(`edit-${field}`).click();
    await this.type(field, value);
    await this.see(`edit-${field}`).waitFor();
  }

  /** Types a value into the field that is being edited, and saves it with the keyboard. */
  async type(field: string, value: string): Promise<void> {
    await this.see(`input-${field}`).fill(value);
    await this.see(`input-${field}`).press('Control+Enter');
  }

  /** Begins to keep every text that the page shows. */
  async record(): Promise<void> {
    await this.page.evaluate(RECORD);
  }

  /** Every text that was shown since {@link record}. */
  async recorded(): Promise<string> {
    return (await this.page.evaluate<string[]>('window.everShown')).join('\n');
  }

  /** All that the server has sent since the window was opened, through the socket and over HTTP. */
  async received(): Promise<string> {
    return [...this.frames, ...(await Promise.all(this.answers))].join('\n');
  }
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
