import {readonly, ref} from 'vue';

const clock = ref(Date.now());
setInterval(() => (clock.value = Date.now()), 10_000);

/** The time in milliseconds since 1970, moving every ten seconds: enough for '2 minutes ago'. */
export const now = readonly(clock);
