import {bulk} from './bulk.mjs';
import {fanout} from './fanout.mjs';
import {latency} from './latency.mjs';
import {mixins} from './mixins.mjs';
import {reads} from './reads.mjs';

/** Every question that the bench can be asked, by the name on its command line. */
export const QUESTIONS = {fanout, latency, mixins, reads, bulk};
