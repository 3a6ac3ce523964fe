import {mixins} from './mixins.mjs';

/** Every question that the bench can be asked, by the name on its command line. */
export const QUESTIONS = {mixins};
