import {bulk} from './bulk.mjs';
import {fanout} from './fanout.mjs';
import {latency} from './latency.mjs';
import {memory} from './memory.mjs';
import {mixins} from './mixins.mjs';
import {reads} from './reads.mjs';
import {reconnect} from './reconnect.mjs';
import {views} from './views.mjs';

/** Every question that the bench can be asked, by the name on its command line. */
export const QUESTIONS = {fanout, latency, views, mixins, reads, bulk, reconnect, memory};
