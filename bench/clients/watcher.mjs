/** A client as an application has it: the page that it shows is to equal the database's. */
import {LiveClient} from 'loopback4-live-entities/client';
import {isDeepStrictEqual} from 'node:util';
import {serve} from '../harness/subject.mjs';

let view;

serve({
  async open(address, category, pageSize) {
    const live = new LiveClient(address);
    const viewParams = {category};
    view = live.collection({type: 'Product', view: 'categoryView', viewParams, pageSize});
    await view.ready;
  },

  /** Whether the page comes to show these rows, in this order, and stays so. */
  shows(rows, timeoutMs = 10_000) {
    const isEqual = () => isDeepStrictEqual(view.value.map(row => ({...row})), rows);
    return new Promise(resolve => {
      const end = result => {
        clearTimeout(patience);
        stop();
        resolve(result);
      };
      const patience = setTimeout(() => end(isEqual()), timeoutMs);
      const stop = view.subscribe(() => {
        if (isEqual()) setImmediate(() => end(isEqual()));
      });
      if (isEqual()) end(true);
    });
  },
});
